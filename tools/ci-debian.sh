#!/usr/bin/env bash
# Debian's packages that the tests of the keychain and of browsers need; keytar is built against libsecret after the install.
# Elsewhere, and where it may not install, it says so and leaves it at that: those tests are then skipped, by name.
set -euo pipefail

packages=(gnome-keyring dbus libsecret-1-0 libsecret-1-dev libsecret-tools chromium firefox-esr)
if dpkg-query --show --showformat='${Status}\n' "${packages[@]}" 2>/dev/null | grep -c '^install ok installed$' |
  grep -qx "${#packages[@]}"; then
  exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "not installed, for want of apt-get or of root: ${packages[*]}"
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}"

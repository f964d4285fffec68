import { describe, expect, it } from 'vitest'
import { isUnattended, noBrowser, type Surroundings } from '../../../packages/node/src/headless/surroundings.js'

const somewhere = (more: Partial<Surroundings>): Surroundings => ({
  platform: 'linux',
  env: {},
  wsl: false,
  container: false,
  terminal: { reads: true, types: true },
  ...more,
})
const DISPLAY = { DISPLAY: ':0' }

describe('whether a browser can open where this process runs', () => {
  it.each<[string, Partial<Surroundings>]>([
    ['a desktop with X', { env: DISPLAY }],
    ['a desktop with Wayland', { env: { WAYLAND_DISPLAY: 'wayland-0' } }],
    ['macOS', { platform: 'darwin' }],
    ['Windows', { platform: 'win32' }],
    ['Linux inside Windows', { wsl: true }],
    [
      'an editor that is connected over SSH, and opens pages where the person is',
      { env: { SSH_TTY: '/1', BROWSER: 'b' } },
    ],
    ['a container of such an editor', { container: true, env: { BROWSER: 'b' } }],
    ['a container with a display', { container: true, env: DISPLAY }],
    ['a CI that is switched off', { env: { ...DISPLAY, CI: 'false' } }],
  ])('%s: it can', (_name, more) => {
    expect(noBrowser(somewhere(more))).toBeUndefined()
  })

  it.each<[string, Partial<Surroundings>, string]>([
    ['a server', {}, 'a machine without a display'],
    ['an empty DISPLAY', { env: { DISPLAY: '' } }, 'a machine without a display'],
    [
      'over SSH, where the page would open for nobody',
      { platform: 'darwin', env: { SSH_CONNECTION: '1' } },
      'an SSH session',
    ],
    ['over SSH with a display of the other side', { env: { ...DISPLAY, SSH_TTY: '/dev/pts/1' } }, 'an SSH session'],
    ['Docker', { container: true }, 'a container without a display'],
    ['Docker on Windows, whose kernel is that of WSL', { container: true, wsl: true }, 'a container without a display'],
    ['Kubernetes', { env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } }, 'a container without a display'],
    ['CI, whatever else it has', { platform: 'win32', env: { ...DISPLAY, CI: 'true' } }, 'CI'],
  ])('%s: it cannot', (_name, more, why) => {
    expect(noBrowser(somewhere(more))).toBe(why)
  })

  it.each<[string, Partial<Surroundings>, boolean]>([
    ['a terminal', {}, false],
    ['a terminal whose input comes from elsewhere', { terminal: { reads: true, types: false } }, false],
    ['a log', { terminal: { reads: false, types: false } }, true],
    ['a terminal of CI', { env: { CI: '1' } }, true],
  ])('who is there to read what is printed: %s', (_name, more, unattended) => {
    expect(isUnattended(somewhere(more))).toBe(unattended)
  })
})

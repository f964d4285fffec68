const LONGEST = 500
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/**
 * Text that somebody else wrote, made fit for an error message or a log line: control and direction characters escaped,
 * length capped.
 */
export function quoteForeign(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return shown.replace(UNPRINTABLE, (character) => `\\u${character.codePointAt(0)?.toString(16).padStart(4, '0')}`)
}

/**
 * A URL as errors and logs may carry it: user information, query and fragment removed, because those carry secrets.
 * What is not a URL comes back quoted.
 */
export function publicUrl(url: string | URL): string {
  if (!URL.canParse(url)) return quoteForeign(String(url).replace(/[?#].*$/s, ''))
  const { protocol, host, pathname } = new URL(url)
  return quoteForeign(`${protocol}//${host}${pathname}`)
}

/** Shorter than this, a text is not secret, and leaving it out would spoil the rest. */
const SHORTEST_SECRET = 6

/** A text without what was sent in confidence: servers repeat it in their error descriptions. */
export const withoutSecrets = (text: string, secrets: readonly (string | undefined)[]): string =>
  secrets
    .filter((secret) => secret !== undefined && secret.length >= SHORTEST_SECRET)
    .flatMap((secret = '') => [secret, encodeURIComponent(secret)])
    .reduce((left, secret) => left.replaceAll(secret, '…'), text)

const LONGEST = 500
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/**
 * Text that somebody else wrote, made fit for an error message or a log line: control and direction characters escaped,
 * length capped.
 */
export function quoteForeign(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return shown.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
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

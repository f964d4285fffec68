import { CountersignError } from '@countersign/core'
import { isLoopbackName } from './loopback/redirect-uri.js'

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const UNSAFE = /[\u0000-\u0020\u007f-\u009f]/

/**
 * The URL as a browser may be given it: https, or http on loopback, without user information, serialised anew so that
 * only URL characters are left.
 *
 * The authorization endpoint is the server's word, and what opens a URL opens files and starts programs too: in
 * CVE-2025-6514 a crafted endpoint reached a shell through `open()`. Hence this stands before every opener, the
 * host's own included.
 *
 * @throws CountersignError `url_not_allowed`
 */
export function browsableUrl(url: string): string {
  // Before parsing, which would drop tabs and line breaks without a word.
  if (UNSAFE.test(url)) throw refused(url, 'a URL without control characters and spaces')
  if (!URL.canParse(url)) throw refused(url, 'an absolute URL')
  const parsed = new URL(url)
  if (parsed.protocol !== 'https:' && !(parsed.protocol === 'http:' && isLoopbackName(parsed.hostname))) {
    throw refused(url, 'an https URL, or http on loopback', `${parsed.protocol}//${parsed.host}`)
  }
  if (parsed.username !== '' || parsed.password !== '') throw refused(url, 'a URL without user information')
  return parsed.href
}

const refused = (url: string, expected: string, received?: string): CountersignError =>
  new CountersignError('url_not_allowed', {
    step: 'present',
    url,
    expected,
    received,
    hint: 'No browser was opened. The operator of the authorization server must correct its authorization_endpoint.',
  })

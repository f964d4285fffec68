import { parseUrl } from './parse-url.js'

type AddressClass = 'loopback' | 'private' | 'public'

// 0/8, 10/8, 100.64/10, 169.254/16, 172.16/12, 192.168/16, 198.18/15: IANA IPv4 special-purpose registry.
const PRIVATE_IPV4 = /^(0[0a]|64[4-7]|a9fe|ac1|c0a8|c61[23])/
// Unique local (RFC 4193), link-local (RFC 4291 section 2.5.6) and the retired site-local addresses.
const PRIVATE_IPV6 = /^f[c-e]/
// IPv4-mapped, IPv4-compatible (RFC 4291 section 2.5.5) and NAT64 (RFC 6052): they lead where the IPv4 address in them leads.
const IPV4_INSIDE = /^(0{20}ffff|0{24}|0064ff9b0{16})(.{8})$/

/** Of an address in eight hexadecimal digits. */
const ipv4Class = (address: string): AddressClass =>
  address.startsWith('7f') ? 'loopback' : PRIVATE_IPV4.test(address) ? 'private' : 'public'

function ipv6Class(address: string): AddressClass {
  if (address === '::1') return 'loopback'
  const [head = '', tail = ''] = address.split('::').map((part) => part.split(':').map(inHex(4)).join(''))
  const digits = head.padEnd(32 - tail.length, '0') + tail
  const [, form, ipv4] = IPV4_INSIDE.exec(digits) ?? []
  if (ipv4 === undefined) return PRIVATE_IPV6.test(digits) ? 'private' : 'public'
  const inner = ipv4Class(ipv4)
  // Only a mapped one stays on this machine; in the other forms it travels.
  return inner === 'loopback' && !form?.endsWith('ffff') ? 'private' : inner
}

const inHex =
  (digits: number) =>
  (number: string | number): string =>
    number.toString(16).padStart(digits, '0')

// The URL parser knows every way of writing an address: octal, hexadecimal, short, in full-width digits.
function canonicalHost(hostname: string): string {
  const bare = hostname.replace(/%.*$|\.$/s, '')
  return parseUrl(`http://${/^[^[]*:/.test(bare) ? `[${bare}]` : bare}`)?.hostname ?? ''
}

/**
 * What a host name or address literal says of where it leads; nothing is resolved. Names of one label, `.local` (RFC 6762)
 * and `.internal` are private, what is no host name too.
 */
export function addressClass(hostname: string): 'loopback' | 'private' | 'public' {
  const host = canonicalHost(hostname)
  if (host.startsWith('[')) return ipv6Class(host.slice(1, -1))
  if (/^[\d.]+$/.test(host)) return ipv4Class(host.split('.').map(Number).map(inHex(2)).join(''))
  if (/(^|\.)localhost$/.test(host)) return 'loopback'
  return host.includes('.') && !/\.(local|internal)$/.test(host) ? 'public' : 'private'
}

/**
 * What is wrong with a URL that OAuth is asked to use, as a short phrase; `undefined` if nothing is (RFC 6749 section 3,
 * RFC 8252 section 7.3 for http on loopback, RFC 9728 section 7.7 for internal addresses).
 *
 * @param policy.from - the MCP server's URL: one on a public address may not point at internal ones
 * @param policy.allowPrivate - host names that it may point at all the same
 */
export function urlProblem(
  url: string,
  policy: { readonly from: string; readonly allowPrivate?: readonly string[] | undefined },
): string | undefined {
  const parsed = parseUrl(url)
  if (/\p{Cc}/u.test(url)) return 'control characters in the URL'
  if (parsed === undefined) return 'not a URL'
  const { protocol, hostname, username, password } = parsed
  const leads = addressClass(hostname)
  if (protocol !== 'https:' && !(protocol === 'http:' && leads === 'loopback')) return 'scheme is not https'
  if (username || password) return 'user information in the URL'
  if (url.includes('#')) return 'a fragment in the URL'
  const from = parseUrl(policy.from)
  if (leads === 'public' || (from && addressClass(from.hostname) !== 'public')) return undefined
  const host = canonicalHost(hostname)
  if (policy.allowPrivate?.some((allowed) => canonicalHost(allowed) === host)) return undefined
  return `a ${leads} address, named by a public server`
}

type AddressClass = 'loopback' | 'private' | 'public'

// Network, bits of its prefix. IANA IPv4 special-purpose registry.
const IPV4: readonly (readonly [network: number, bits: number, AddressClass])[] = [
  [0x7f000000, 8, 'loopback'],
  [0x00000000, 8, 'private'],
  [0x0a000000, 8, 'private'],
  [0x64400000, 10, 'private'],
  [0xa9fe0000, 16, 'private'],
  [0xac100000, 12, 'private'],
  [0xc0a80000, 16, 'private'],
  [0xc6120000, 15, 'private'],
]

const ipv4Class = (address: number): AddressClass =>
  IPV4.find(([network, bits]) => address >>> (32 - bits) === network >>> (32 - bits))?.[2] ?? 'public'

const groupsOf = (part: string | undefined): number[] =>
  part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []

const MAPPED = '0:0:0:0:0:65535'
// IPv4-mapped, IPv4-compatible (RFC 4291 section 2.5.5) and NAT64 (RFC 6052): they lead where the IPv4 address in them leads.
const IPV4_INSIDE = [MAPPED, '0:0:0:0:0:0', '100:65435:0:0:0:0']

function ipv6Class(address: string): AddressClass {
  if (address === '::1') return 'loopback'
  const [head, tail] = address.split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail)
  const groups = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
  const prefix = groups.slice(0, 6).join(':')
  const [high = 0, low = 0] = groups.slice(6)
  if (IPV4_INSIDE.includes(prefix)) {
    const inner = ipv4Class(high * 0x10000 + low)
    // Only a mapped one stays on this machine; in the other forms it travels.
    return inner === 'loopback' && prefix !== MAPPED ? 'private' : inner
  }
  const [first = 0] = groups
  // Unique local (RFC 4193), link-local (RFC 4291 section 2.5.6) and the retired site-local addresses.
  return first >= 0xfc00 && first < 0xff00 ? 'private' : 'public'
}

// The URL parser knows every way of writing an address: octal, hexadecimal, short, in full-width digits.
function canonicalHost(hostname: string): string {
  const bare = hostname.replace(/%.*$/s, '').replace(/\.$/, '')
  const url = `http://${bare.includes(':') && !bare.startsWith('[') ? `[${bare}]` : bare}`
  return URL.canParse(url) ? new URL(url).hostname : ''
}

/**
 * What a host name or address literal says of where it leads; nothing is resolved. Names of one label, `.local` (RFC 6762)
 * and `.internal` are private, what is no host name too.
 */
export function addressClass(hostname: string): 'loopback' | 'private' | 'public' {
  const host = canonicalHost(hostname)
  if (host.startsWith('[')) return ipv6Class(host.slice(1, -1))
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) {
    return ipv4Class(host.split('.').reduce((address, octet) => address * 256 + Number(octet), 0))
  }
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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(url)) return 'control characters in the URL'
  if (!URL.canParse(url)) return 'not a URL'
  const { protocol, hostname, username, password } = new URL(url)
  const leads = addressClass(hostname)
  if (protocol !== 'https:' && !(protocol === 'http:' && leads === 'loopback')) return 'scheme is not https'
  if (username !== '' || password !== '') return 'user information in the URL'
  if (url.includes('#')) return 'a fragment in the URL'
  const origin = URL.canParse(policy.from) ? addressClass(new URL(policy.from).hostname) : 'public'
  if (origin !== 'public' || leads === 'public') return undefined
  const host = canonicalHost(hostname)
  if (policy.allowPrivate?.some((allowed) => canonicalHost(allowed) === host)) return undefined
  return `a ${leads} address, named by a public server`
}

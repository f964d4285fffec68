import { isIP } from 'node:net'

/** The names of loopback that a redirect URI may use. */
export type LoopbackHost = '127.0.0.1' | 'localhost' | '[::1]'

/** A loopback redirect URI, taken apart. */
export interface LoopbackRedirect {
  readonly host: LoopbackHost
  readonly port: number
  readonly path: string
}

const HOSTS: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'] satisfies LoopbackHost[]

/** Whether `host` may stand in a redirect URI that this machine serves to itself. */
export const isLoopbackHost = (host: string): host is LoopbackHost => HOSTS.includes(host)

/** Whether the host name of a URL, as `URL.hostname` gives it, means this machine whatever the resolver says. */
export const isLoopbackName = (hostname: string): boolean =>
  isLoopbackHost(hostname) || (isIP(hostname) === 4 && hostname.startsWith('127.'))

/** The redirect URI as it is registered and sent, to the letter (RFC 8252 section 7.3). */
export const redirectUri = ({ host, port, path }: LoopbackRedirect): string => `http://${host}:${port}${path}`

/** Reads a redirect URI back. `undefined`: not one that a loopback listener serves. */
export function parseRedirectUri(uri: string): LoopbackRedirect | undefined {
  if (!URL.canParse(uri)) return undefined
  const { protocol, hostname: host, port: digits, pathname: path } = new URL(uri)
  if (protocol !== 'http:' || !isLoopbackHost(host)) return undefined
  const redirect = { host, port: digits === '' ? 80 : Number(digits), path }
  // Round trip: a query, a fragment, user information or another spelling is a URI that we would not send like this.
  return redirectUri(redirect) === uri && redirect.port !== 0 ? redirect : undefined
}

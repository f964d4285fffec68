/** The cookies of one scripted person. */
export interface CookieJar {
  /** Keeps what a response sets. */
  keep(url: URL, response: Response): void
  /** The `Cookie` header for a URL, if any cookie goes there. */
  headerFor(url: URL): string | undefined
}

interface Cookie {
  readonly origin: string
  readonly path: string
  readonly name: string
  readonly value: string
}

/**
 * The part of RFC 6265 that a login page needs: name, path, expiry.
 *
 * Unlike a browser's jar it keeps ports apart, so that two servers on 127.0.0.1 do not overwrite each other's session.
 */
export function createCookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>()

  return {
    keep(url, response) {
      for (const line of response.headers.getSetCookie()) {
        const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
        const [name, value] = halves(pair)
        const attribute = new Map(attributes.map(halves).map(([key, text]) => [key.toLowerCase(), text]))
        const path = attribute.get('path') || defaultPath(url)
        const key = [url.origin, path, name].join(' ')
        if (isExpired(attribute)) cookies.delete(key)
        else cookies.set(key, { origin: url.origin, path, name, value })
      }
    },
    headerFor(url) {
      const matching = [...cookies.values()].filter(
        (cookie) => cookie.origin === url.origin && pathMatches(url.pathname, cookie.path),
      )
      // The longer path first, as the RFC says: the server takes the first of two with the same name.
      matching.sort((a, b) => b.path.length - a.path.length)
      return matching.map(({ name, value }) => `${name}=${value}`).join('; ') || undefined
    },
  }
}

function halves(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function isExpired(attribute: ReadonlyMap<string, string>): boolean {
  const maxAge = attribute.get('max-age')
  if (maxAge !== undefined) return Number(maxAge) <= 0
  const expires = attribute.get('expires')
  return expires !== undefined && Date.parse(expires) <= Date.now()
}

function defaultPath(url: URL): string {
  return url.pathname.slice(0, url.pathname.lastIndexOf('/')) || '/'
}

function pathMatches(requested: string, path: string): boolean {
  return requested === path || requested.startsWith(path.endsWith('/') ? path : `${path}/`)
}

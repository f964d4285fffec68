import { parseUrl } from './parse-url.js'

const wellKnown = (url: string, places: (origin: string, path: string) => readonly string[]): readonly string[] => {
  const { protocol, origin = '', pathname = '' } = parseUrl(url) ?? {}
  return protocol === 'https:' || protocol === 'http:' ? [...new Set(places(origin, pathname.replace(/^\/$/, '')))] : []
}

/**
 * Where the protected resource metadata of a server may be, in the order to try (RFC 9728 section 3.1; MCP
 * authorization, protected resource metadata discovery). The server's query, which may hold a key, is left out.
 */
export const protectedResourceMetadataUrls = (serverUrl: string): readonly string[] =>
  wellKnown(serverUrl, (origin, path) =>
    [path, ''].map((suffix) => `${origin}/.well-known/oauth-protected-resource${suffix}`),
  )

/**
 * Where the metadata of an authorization server may be, in the order to try (RFC 8414 sections 3.1 and 5, OpenID Connect
 * Discovery section 4; MCP authorization, authorization server metadata discovery).
 */
export const authorizationServerMetadataUrls = (issuer: string): readonly string[] =>
  wellKnown(issuer, (origin, path) => {
    const tenant = path.replace(/\/$/, '')
    const openid = '/.well-known/openid-configuration'
    return [`/.well-known/oauth-authorization-server${tenant}`, openid + tenant, tenant + openid].map(
      (at) => origin + at,
    )
  })

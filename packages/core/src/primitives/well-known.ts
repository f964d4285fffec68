const wellKnown = (url: string, insert: (origin: string, path: string) => readonly string[]): readonly string[] => {
  if (!URL.canParse(url)) return []
  const { protocol, host, pathname } = new URL(url)
  if (!/^https?:$/.test(protocol)) return []
  return insert(`${protocol}//${host}`, pathname === '/' ? '' : pathname)
}

/**
 * Where the protected resource metadata of a server may be, in the order to try (RFC 9728 section 3.1; MCP
 * authorization, protected resource metadata discovery). The server's query, which may hold a key, is left out.
 */
export const protectedResourceMetadataUrls = (serverUrl: string): readonly string[] =>
  wellKnown(serverUrl, (origin, path) => {
    const root = `${origin}/.well-known/oauth-protected-resource`
    return path === '' ? [root] : [root + path, root]
  })

/**
 * Where the metadata of an authorization server may be, in the order to try (RFC 8414 sections 3.1 and 5, OpenID Connect
 * Discovery section 4; MCP authorization, authorization server metadata discovery).
 */
export const authorizationServerMetadataUrls = (issuer: string): readonly string[] =>
  wellKnown(issuer, (origin, path) => {
    const tenant = path.endsWith('/') ? path.slice(0, -1) : path
    const oauth = `${origin}/.well-known/oauth-authorization-server${tenant}`
    const openid = `${origin}/.well-known/openid-configuration${tenant}`
    return tenant === '' ? [oauth, openid] : [oauth, openid, `${origin}${tenant}/.well-known/openid-configuration`]
  })

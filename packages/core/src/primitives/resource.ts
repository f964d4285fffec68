/**
 * The canonical resource identifier of an MCP server (RFC 8707 section 2; MCP authorization, canonical server URI):
 * host in lower case, no query, no fragment, no user information, no slash in place of a path. A slash that ends a path stays.
 */
export function canonicalResource(url: string): string {
  if (!URL.canParse(url)) return url
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}

/**
 * Whether a `resource` from metadata stands for the server at `serverUrl` (RFC 9728 section 3.3). Only `identical` is what
 * the RFC asks for; the query of the server's URL does not count where the resource has none.
 *
 * @returns `trailing_slash`: equal but for one; `prefix`: same origin, and a leading part of the path, whole segments
 */
export function matchResource(
  serverUrl: string,
  resource: string,
): 'identical' | 'trailing_slash' | 'prefix' | 'different' {
  if (!URL.canParse(serverUrl) || !URL.canParse(resource)) return 'different'
  const server = new URL(serverUrl)
  const stated = new URL(resource)
  if (
    stated.protocol !== server.protocol ||
    stated.host !== server.host ||
    `${stated.username}${stated.password}` !== '' ||
    resource.includes('#') ||
    (stated.search !== '' && stated.search !== server.search)
  )
    return 'different'
  const path = server.pathname
  const part = stated.pathname
  if (path === part) return 'identical'
  if (`${path}/` === part || path === `${part}/`) return 'trailing_slash'
  return path.startsWith(part.endsWith('/') ? part : `${part}/`) ? 'prefix' : 'different'
}

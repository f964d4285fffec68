import { parseUrl } from './parse-url.js'

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
  const server = parseUrl(serverUrl)
  const stated = parseUrl(resource)
  if (
    stated?.origin !== server?.origin ||
    !server ||
    !stated ||
    stated.username ||
    stated.password ||
    resource.includes('#') ||
    (stated.search && stated.search !== server.search)
  )
    return 'different'
  const path = server.pathname
  const part = stated.pathname
  if (path === part) return 'identical'
  if (`${path}/` === part || path === `${part}/`) return 'trailing_slash'
  return path.startsWith(part.replace(/\/?$/, '/')) ? 'prefix' : 'different'
}

import type { ScriptedAuthorization } from '../servers/index.js'

/** Makes a server list these authorization servers, and take their tokens beside its own. */
export function lists(server: ScriptedAuthorization, ...issuers: readonly (ScriptedAuthorization | string)[]): void {
  const authorization_servers = issuers.map((one) => (typeof one === 'string' ? one : one.issuer))
  server.routes.resourceMetadata = { json: { resource: server.url, authorization_servers } }
  const { mcp } = server.routes
  server.routes.mcp = (request, usual) => {
    for (const one of issuers) {
      if (typeof one !== 'string' && one !== server)
        for (const token of one.accessTokens) server.accessTokens.add(token)
    }
    return typeof mcp === 'function' ? mcp(request, usual) : (mcp ?? usual())
  }
}

/** `METHOD /path` of every request that a server got, but for those of the MCP client. */
export const askedOf = (server: Pick<ScriptedAuthorization, 'requests'>): readonly string[] =>
  server.requests.filter(({ path }) => path !== '/mcp').map(({ method, path }) => `${method} ${path}`)

/** The scope of every authorization request that a server got. */
export const scopesAskedOf = (server: Pick<ScriptedAuthorization, 'requests'>): readonly (string | null)[] =>
  server.requests.filter(({ path }) => path === '/authorize').map(({ query }) => query.get('scope'))

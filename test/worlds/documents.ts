/** The MCP server of every world, and its authorization server. */
export const URL_OF_SERVER = 'https://mcp.example/mcp'
export const ISSUER = 'https://as.example'

/** What is published about them, at a path of either. */
export function documentAt(path: string): Response {
  if (path.startsWith('/.well-known/oauth-protected-resource')) {
    return Response.json({ resource: URL_OF_SERVER, authorization_servers: [ISSUER] })
  }
  if (path.startsWith('/.well-known/')) {
    return Response.json({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      revocation_endpoint: `${ISSUER}/revoke`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
    })
  }
  return new Response(null, { status: 404 })
}

/** What the MCP server says to a token that it does not take. */
export const refused = (): Response =>
  new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } })

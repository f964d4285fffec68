import { type Connection, type ConnectorOptions, createConnector, type Fetch } from '@countersign/core'

/** The MCP server that there is a login for. */
export const server = 'https://mcp.example.com/mcp'
const issuer = 'https://as.example.com'

/** As long as the JWTs that servers issue. */
export const accessToken: string = 'x'.repeat(700)

/** An authorization server and a protected resource that are a table of answers. */
const documents: Readonly<Record<string, object>> = {
  'https://mcp.example.com/.well-known/oauth-protected-resource/mcp': {
    resource: server,
    authorization_servers: [issuer],
  },
  [`${issuer}/.well-known/oauth-authorization-server`]: {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
  },
  [`${issuer}/token`]: {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: 3600,
    refresh_token: 'r'.repeat(64),
    scope: 'notes:read notes:write',
  },
}

const oauthFetch: Fetch = async (input, init) => {
  const url = input instanceof Request ? input.url : String(input)
  if (url === `${issuer}/register`) {
    return Response.json({ ...JSON.parse(String(init?.body)), client_id: 'bench-client' }, { status: 201 })
  }
  const document = documents[url]
  return document === undefined ? new Response(null, { status: 404 }) : Response.json(document)
}

/** A connection that has been through a whole login, over no network, and holds a token that is good for an hour. */
export async function signedIn(options: ConnectorOptions): Promise<Connection> {
  const connector = createConnector({ appId: 'bench', oauthFetch, ...options })
  const redirectUri = 'http://127.0.0.1:41999/callback'
  const { state } = await connector.connect(server).beginAuthorization({ redirectUri })
  const callback = `${redirectUri}?${new URLSearchParams({ code: 'code', state, iss: issuer })}`
  const { connection } = await connector.completeAuthorization(callback, { state })
  return connection
}

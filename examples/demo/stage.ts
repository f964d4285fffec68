import { startAuthorizationServer, startMcpServer } from '@countersign/test/servers'
import type { Part, Side } from './report.js'

/** What the demo plays on: an MCP server and the authorization server behind it. */
export interface Stage extends AsyncDisposable {
  readonly mcpUrl: string
  readonly issuer: string
  /** Name and version of the MCP server. */
  readonly server: string
  /** What the MCP server's challenge asks for. */
  readonly scope: string
  readonly parts: readonly Omit<Part, 'type'>[]
  /** Which of the two a URL belongs to. */
  sideOf(url: string): Side
  /** How many requests whoever signs in has sent to the authorization server. */
  loginRequests(): number
  /** What went wrong inside the servers. */
  errors(): readonly unknown[]
}

const ACCESS_TOKEN_TTL_SECONDS = 3

/** The embedded servers: real ones, on loopback and on ports that the system chooses. */
export async function startStage(): Promise<Stage> {
  const authorizationServer = await startAuthorizationServer({
    accessTokenTtlSeconds: ACCESS_TOKEN_TTL_SECONDS,
    devices: true,
  })
  const scope = 'notes:read'
  const mcp = await startMcpServer({ authorizationServer, challengeScope: scope })
  const { issuer } = authorizationServer
  return {
    mcpUrl: mcp.url,
    issuer,
    server: 'notes 1.0.0',
    scope,
    parts: [
      { name: 'mcp', where: mcp.url, what: 'MCP server (@modelcontextprotocol/sdk): takes only tokens issued for it' },
      {
        name: 'as',
        where: issuer,
        what: `authorization server (oidc-provider): access tokens live ${ACCESS_TOKEN_TTL_SECONDS} s`,
      },
    ],
    sideOf: (url) => (new URL(url).origin === new URL(issuer).origin ? 'as' : 'mcp'),
    loginRequests: () => authorizationServer.requests.filter(({ path }) => /^\/(auth|interaction)\b/.test(path)).length,
    errors: () => [...authorizationServer.errors, ...mcp.errors],
    [Symbol.asyncDispose]: async () => {
      await mcp.close()
      await authorizationServer.close()
    },
  }
}

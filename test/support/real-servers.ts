import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  type McpServerOptions,
  type McpServerUnderTest,
  startAuthorizationServer,
  startMcpServer,
} from '../servers/index.js'

/** A real authorization server and a real MCP server, for every test of a file. */
export interface RealServers {
  readonly as: AuthorizationServer
  readonly mcp: McpServerUnderTest
  /** Requests to the token endpoint, by grant type. */
  readonly grants: readonly string[]
  /** How often the authorization server was asked for this path. */
  asked(path: string): number
}

/** Starts both before the tests of a file, clears what they remember between tests, and looks for errors at the end. */
export function realServers(options: {
  readonly as?: AuthorizationServerOptions
  readonly mcp?: Omit<McpServerOptions, 'authorizationServer'>
}): RealServers {
  let as: AuthorizationServer
  let mcp: McpServerUnderTest
  beforeAll(async () => {
    as = await startAuthorizationServer(options.as)
    mcp = await startMcpServer({ ...options.mcp, authorizationServer: as })
  })
  afterEach(() => {
    as.clearRequests()
    mcp.clearRequests()
    as.tokenEndpoint.intercept = undefined
    as.tokenEndpoint.delayMs = undefined
    mcp.rejects = undefined
    mcp.nonce = undefined
    mcp.nextNonce = undefined
  })
  afterAll(async () => {
    await Promise.all([mcp.close(), as.close()])
    expect([...as.errors, ...mcp.errors]).toEqual([])
  })
  return {
    get as() {
      return as
    },
    get mcp() {
      return mcp
    },
    get grants() {
      return as.requests.flatMap(({ grant_type }) => grant_type ?? [])
    },
    asked: (path) => as.requests.filter((request) => request.path === path).length,
  }
}

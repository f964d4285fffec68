import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js'
import { sendAnswer } from './answer.js'

/** The sessions of one MCP server. */
export interface McpSessions {
  /** Answers a request that has been let in. `message` is the parsed body, if it has one. */
  handle(request: IncomingMessage & { auth?: AuthInfo }, response: ServerResponse, message: unknown): Promise<void>
  close(): Promise<void>
}

/** Streamable HTTP with session ids: a transport and a server for each session, as the SDK wants it. */
export function createMcpSessions(createServer: () => McpServer): McpSessions {
  const transports = new Map<string, StreamableHTTPServerTransport>()

  const begin = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        transports.set(id, transport)
      },
      onsessionclosed: (id) => {
        transports.delete(id)
      },
    })
    // The SDK's own class does not fit its own interface under exactOptionalPropertyTypes.
    await createServer().connect(transport as Transport)
    return transport
  }

  return {
    async handle(request, response, message) {
      const id = request.headers['mcp-session-id']
      const known = typeof id === 'string' ? transports.get(id) : undefined
      if (known) return known.handleRequest(request, response, message)
      if (id === undefined && isInitializeRequest(message)) {
        return (await begin()).handleRequest(request, response, message)
      }
      const [status, reason] = id === undefined ? [400, 'no session'] : [404, 'Session not found']
      return sendAnswer(response, {
        status,
        json: { jsonrpc: '2.0', error: { code: -32001, message: reason }, id: null },
      })
    },
    async close() {
      await Promise.all([...transports.values()].map((transport) => transport.close()))
      transports.clear()
    },
  }
}

import type { Connection } from '@countersign/core'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'

/** The official SDK's client over a connection's `fetch`, as a host wires it up. */
export interface McpClient extends AsyncDisposable {
  /** The text that a tool answers with. */
  call(name: string, args?: Record<string, unknown>): Promise<string>
}

export async function mcpClient(connection: Pick<Connection, 'url' | 'fetch'>): Promise<McpClient> {
  const transport = new StreamableHTTPClientTransport(new URL(connection.url), { fetch: connection.fetch })
  const client = new Client({ name: 'test', version: '1.0.0' })
  // The SDK's own types disagree under exactOptionalPropertyTypes.
  await client.connect(transport as Transport)
  return {
    call: async (name, args) => {
      const { content } = await client.callTool({ name, ...(args && { arguments: args }) })
      return (content as { text: string }[]).map(({ text }) => text).join('\n')
    },
    [Symbol.asyncDispose]: () => client.close(),
  }
}

/** One JSON-RPC request, as small as can be, and the JSON-RPC answer. */
export const ping = (connection: Pick<Connection, 'url' | 'fetch'>, init: RequestInit = {}): Promise<Response> =>
  connection.fetch(connection.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    ...init,
  })

import type { Connection } from '@countersign/node'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/** An MCP client that is connected. */
export interface Session {
  /** Name and version that the server gave itself. */
  readonly server: string
  listTools(): Promise<readonly string[]>
  /** The text of the tool's result. */
  callTool(name: string): Promise<string>
  close(): Promise<void>
}

/** Connects the SDK's own client. All that it knows of OAuth is the `fetch` it was given. */
export async function connectClient(connection: Connection): Promise<Session> {
  const transport = new StreamableHTTPClientTransport(new URL(connection.url), { fetch: connection.fetch })
  const client = new Client({ name: 'countersign-demo', version: '1.0.0' })
  await client.connect(transport)
  const { name, version } = client.getServerVersion() ?? { name: 'unknown', version: '' }
  return {
    server: `${name} ${version}`,
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    callTool: async (tool) => {
      const { content } = await client.callTool({ name: tool })
      return (content as { text?: string }[]).map(({ text = '' }) => text).join('\n')
    },
    close: () => client.close(),
  }
}

import type { Connection } from '@countersign/node'
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/** An MCP client that is connected. */
export interface Session {
  /** Name and version that the server gave itself. */
  readonly server: string
  listTools(): Promise<readonly string[]>
  /** The text of the tool's result. A result that is an error is thrown. */
  callTool(name: string, args?: Readonly<Record<string, unknown>>): Promise<string>
  close(): Promise<void>
}

/** What both SDKs' clients have. */
interface Client {
  getServerVersion(): { readonly name: string; readonly version: string } | undefined
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>
  callTool(call: { name: string; arguments?: Record<string, unknown> }): Promise<object>
  close(): Promise<void>
}

const about = { name: 'countersign-demo', version: '1.0.0' }

/** Connects a client of the SDK's line 1. All that it knows of OAuth is the `fetch` it was given. */
export async function connectClient({ url, fetch }: Connection): Promise<Session> {
  const client = new Client1(about)
  await client.connect(new Transport1(new URL(url), { fetch }))
  return sessionOf(client)
}

/**
 * The same with a client of line 2.
 *
 * @param negotiate - speak the newest revision that the server knows; otherwise the one that every server knows
 */
export async function connectClient2({ url, fetch }: Connection, negotiate = false): Promise<Session> {
  const client = new Client2(about, negotiate ? { versionNegotiation: { mode: 'auto' } } : {})
  await client.connect(new Transport2(new URL(url), { fetch }))
  return sessionOf(client)
}

function sessionOf(client: Client): Session {
  const { name, version } = client.getServerVersion() ?? { name: 'unknown', version: '' }
  return {
    server: `${name} ${version}`.trim(),
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    callTool: async (tool, args) => {
      const result = await client.callTool({ name: tool, ...(args && { arguments: { ...args } }) })
      const { content = [], isError } = result as { content?: readonly { text?: string }[]; isError?: boolean }
      const text = content.map((part) => part.text ?? '').join('\n')
      if (isError) throw new Error(`the tool ${tool} failed: ${text}`)
      return text
    },
    close: () => client.close(),
  }
}

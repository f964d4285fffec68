import type { Connection } from '@countersign/node'
import * as v2 from '@modelcontextprotocol/client'
import * as v1 from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'

/** The first revision without `initialize`; the first SDK does not speak it. */
const STATELESS = '2026-07-28'

const info = { name: 'countersign-conformance', version: '0.0.0' }
const tool = { name: 'test-tool', arguments: {} }

/** What a host does, through the MCP client that speaks the revision: lists the tools, then calls one. */
export async function useTools({ url, fetch }: Connection, version: string): Promise<void> {
  if (version < STATELESS) {
    const client = new v1.Client(info)
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch }) as Transport)
    await client.listTools()
    succeeded(await client.callTool(tool))
  } else {
    const client = new v2.Client(info, { versionNegotiation: { mode: { pin: version } } })
    await client.connect(new v2.StreamableHTTPClientTransport(new URL(url), { fetch }))
    await client.listTools()
    succeeded(await client.callTool(tool))
  }
}

/** A tool reports its own failure inside a result. */
function succeeded(result: Readonly<Record<string, unknown>>): void {
  if (result.isError) throw new TypeError(`${tool.name} failed`)
}

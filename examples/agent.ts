// An agent on a person's machine: `npx tsx examples/agent.ts https://mcp.example.com/mcp`. The browser opens when the
// server asks for a login, and not again in later runs. Prints the tools that the server has.

import { setTimeout } from 'node:timers/promises'
import { CountersignError, createConnector } from '@countersign/node'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { ListToolsResult } from '@modelcontextprotocol/sdk/types.js'

const client = new Client({ name: 'my-agent', version: '1.0.0' })

// #region agent
const connector = createConnector({ appId: 'com.example.agent', clientName: 'My agent' })
const notes = connector.connect(process.argv[2] ?? 'https://mcp.example.com/mcp')

// Any MCP client that takes a fetch.
const transport = new StreamableHTTPClientTransport(new URL(notes.url), { fetch: notes.fetch })
await client.connect(transport)
// #endregion

// #region failures
async function listTools(): Promise<ListToolsResult> {
  try {
    return await client.listTools()
  } catch (error) {
    // Not about OAuth (the server is down, say), or the person has just said no.
    if (!CountersignError.is(error) || error.code === 'access_denied') throw error
    // This opens a login, or joins the one that is open.
    if (error.action === 'sign_in') await notes.authorize()
    else if (error.action === 'retry_at') await setTimeout((error.retryAt ?? Date.now() + 1_000) - Date.now())
    else throw error // its message says what the host or the server has to correct
    return client.listTools()
  }
}
// #endregion

const { tools } = await listTools()
for (const { name, description } of tools) console.log(`${name}: ${description ?? ''}`)

// #region end
await client.close()
await connector.close() // the login stays: the next run opens no browser
// #endregion

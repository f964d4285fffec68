// An agent on a person's machine: `npx tsx examples/agent.ts https://mcp.example.com/mcp`. The browser opens when the
// server asks for a login. Prints the tools that the server has.

import { createConnector } from '@countersign/node'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const client = new Client({ name: 'my-agent', version: '1.0.0' })

// #region agent
const connector = createConnector({ appId: 'com.example.agent', clientName: 'My agent' })
const notes = connector.connect(process.argv[2] ?? 'https://mcp.example.com/mcp')

// Any MCP client that takes a fetch.
const transport = new StreamableHTTPClientTransport(new URL(notes.url), { fetch: notes.fetch })
await client.connect(transport)
// #endregion

const { tools } = await client.listTools()
for (const { name, description } of tools) console.log(`${name}: ${description ?? ''}`)
await client.close()
await connector.close()

// An agent where no browser opens: `npx tsx examples/headless.ts https://mcp.example.com/mcp`. The person gets a code, or pastes
// the address that their browser ends at. Later runs ask nobody, and with `--job` they never would.

import { CountersignError, createConnector, deviceCode, firstThatWorks, paste } from '@countersign/node'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const [url = 'https://mcp.example.com/mcp', mode] = process.argv.slice(2)
const client = new Client({ name: 'my-agent', version: '1.0.0' })

async function agent(): Promise<void> {
  // #region headless
  await using connector = createConnector({
    appId: 'com.example.agent',
    clientName: 'My agent',
    userAgent: firstThatWorks(deviceCode(), paste()),
  })
  const notes = connector.connect(url)
  await notes.authorize() // signed in already: nobody is asked
  await client.connect(new StreamableHTTPClientTransport(new URL(notes.url), { fetch: notes.fetch }))
  // #endregion
  await listTools()
}

async function job(): Promise<void> {
  // #region job
  await using connector = createConnector({ appId: 'com.example.agent', interaction: 'never' })
  const notes = connector.connect(url)
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(notes.url), { fetch: notes.fetch }))
  } catch (error) {
    if (!CountersignError.is(error) || error.code !== 'interaction_required') throw error
    console.log(`somebody has to sign in: ${JSON.stringify(error.interaction)}`)
    return
  }
  // #endregion
  await listTools()
}

async function listTools(): Promise<void> {
  const { tools } = await client.listTools()
  for (const { name, description } of tools) console.log(`${name}: ${description ?? ''}`)
  await client.close()
}

await (mode === '--job' ? job() : agent())

// A login whose tokens are bound to a key, at servers that take no others and want their nonces in each proof. The token alone gets
// nobody in. `npx tsx examples/dpop.ts`

import { createConnector, dpop, loopback, memoryStore } from '@countersign/node'
import { person, startAuthorizationServer, startMcpServer } from '@countersign/test/servers'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

await using authorizationServer = await startAuthorizationServer({ proofNonces: true })
await using mcp = await startMcpServer({ authorizationServer, dpop: 'required' })
mcp.nonce = 'the nonce of the resource'
const alice = person({ login: 'alice' })

// #region dpop
await using connector = createConnector({
  appId: 'com.example.agent',
  store: memoryStore(),
  // In Node, dpop() is there anyway; `required` refuses servers that issue bearer tokens.
  dpop: dpop({ required: true }),
  userAgent: loopback({ open: async (url) => void alice.open(url) }),
})
const notes = connector.connect(mcp.url)
// #endregion

const client = new Client({ name: 'my-agent', version: '1.0.0' })
await client.connect(new StreamableHTTPClientTransport(new URL(notes.url), { fetch: notes.fetch }))
const { content } = await client.callTool({ name: 'whoami' })
const { accessToken, tokenType } = await notes.token()
console.log(`${(content as { text: string }[])[0]?.text}, with a ${tokenType} token`)
await client.close()

for (const scheme of ['Bearer', 'DPoP']) {
  const { status } = await fetch(mcp.url, { method: 'POST', headers: { authorization: `${scheme} ${accessToken}` } })
  console.log(`stolen, as ${scheme}: ${status}`)
}

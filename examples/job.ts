// A job without a person: client credentials, with a key instead of a secret. `npx tsx examples/job.ts`

import { clientCredentials, createConnector, memoryStore } from '@countersign/node'
import { startAuthorizationServer, startMcpServer } from '@countersign/test/servers'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

// The job's key. A real one is in a secret manager; `privateKey` takes PEM, a JWK, or a function that gives either.
const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
  'sign',
])
const { crv = '', x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey)

// What the operator of the authorization server has registered.
await using authorizationServer = await startAuthorizationServer({
  clients: [
    {
      client_id: 'nightly-job',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [{ kty: 'EC', crv, x, y }] },
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'notes:read notes:write',
    },
  ],
})
await using mcp = await startMcpServer({ authorizationServer, requiredScope: 'notes:read' })

// #region job
await using connector = createConnector({
  appId: 'com.example.job',
  store: memoryStore(),
  credentials: clientCredentials({ issuer: authorizationServer.issuer, clientId: 'nightly-job', privateKey }),
})
const { url, fetch } = connector.connect(mcp.url)
// #endregion

const client = new Client({ name: 'my-job', version: '1.0.0' })
await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch }))
const { content } = await client.callTool({ name: 'whoami' })
console.log((content as { text: string }[]).map(({ text }) => text).join('\n'))
await client.close()

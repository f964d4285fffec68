// Who is signed in at the organisation's identity provider gets into its MCP servers without another page, and a sub-agent
// gets a token that can do less. `npx tsx examples/enterprise.ts`

import { createConnector, enterpriseManaged, memoryStore } from '@countersign/node'
import { person, plainClient, startAuthorizationServer, startMcpServer } from '@countersign/test/servers'

const clientId = 'the-host'
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const redirect_uris = ['http://127.0.0.1:41999/callback']
const common = { client_id: clientId, scope: 'openid notes:read notes:write' }

// The identity provider, and an authorization server that trusts it: the host is known to both.
await using provider = await startAuthorizationServer({
  clients: [{ ...common, client_secret: 'one', redirect_uris, grant_types: ['authorization_code', exchange] }],
})
await using authorizationServer = await startAuthorizationServer({
  clients: [
    {
      ...common,
      client_secret: 'two',
      redirect_uris: [],
      response_types: [],
      grant_types: ['urn:ietf:params:oauth:grant-type:jwt-bearer', exchange],
    },
  ],
  trustedIssuers: { [provider.issuer]: provider.jwksUri },
})
await using mcp = await startMcpServer({ authorizationServer })

// The host's own single sign-on, here by a scripted person. It leaves an ID token.
const signOn = await plainClient(provider.issuer, { clientId })
const code = (await signOn.authorize(person({ login: 'alice' }), { scope: 'openid' })).get('code') ?? ''
const { id_token } = (await signOn.exchange(code, { client_secret: 'one' })).body

// #region enterprise
await using connector = createConnector({
  appId: 'com.example.host',
  store: memoryStore(),
  credentials: enterpriseManaged({
    issuer: authorizationServer.issuer,
    clientId,
    clientSecret: 'two',
    identityProvider: { issuer: provider.issuer, clientId, clientSecret: 'one' },
    idToken: async () => String(id_token),
  }),
})
const { scope } = await connector.connect(mcp.url).token()
const lesser = await connector.connect(mcp.url).exchange({ scope: 'notes:read' })
// #endregion

console.log(`alice may ${scope}, her sub-agent ${lesser.scope}`)

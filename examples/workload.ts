// A workload gets in with the token that its platform has put into a file. `npx tsx examples/workload.ts`

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assertionFromFile, createConnector, memoryStore, workloadIdentity } from '@countersign/node'
import { scriptedAuthorization } from '@countersign/test/servers'

// What Kubernetes does with a projected service account token: it rotates the file.
const directory = await mkdtemp(join(tmpdir(), 'workload-'))
const tokenFile = join(directory, 'token')
await writeFile(tokenFile, 'signed-by-the-platform-on-monday\n')

// A stand-in: an authorization server that trusts the platform, and says what was presented to it.
await using server = await scriptedAuthorization()
server.routes.token = ({ body }) => {
  console.log(`presented: ${new URLSearchParams(body).get('assertion')}`)
  server.accessTokens.add('access')
  return { json: { access_token: 'access', token_type: 'Bearer', expires_in: 300 } }
}

// #region workload
await using connector = createConnector({
  appId: 'com.example.workload',
  store: memoryStore(),
  credentials: workloadIdentity({ issuer: server.issuer, assertion: assertionFromFile(tokenFile) }),
})
// #endregion

const connection = connector.connect(server.url)
const response = await connection.fetch(server.url, {
  method: 'POST',
  body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
})
console.log(`answered: ${response.status}`)

// Another day, another token: it is read when it is needed.
await writeFile(tokenFile, 'signed-by-the-platform-on-tuesday\n')
await connection.token({ refresh: true })
await rm(directory, { recursive: true })

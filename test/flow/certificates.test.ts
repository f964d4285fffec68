import { createConnector, memoryStore } from '@countersign/node'
import { expect, it } from 'vitest'
import { scriptedAuthorization, startSelfSignedServer } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { seedGrant } from '../support/seeded.js'
import { scriptedAgent } from '../support/watched-agent.js'

const appId = 'test'
const untrusted = expect.stringMatching(/CERT/)
const open = closing()

it('an authorization server whose certificate is not trusted is asked nothing', {
  tags: ['rfc6749/certificates-checked', 'rfc8414/certificates'],
}, async () => {
  const [server, untrustworthy] = [open(await scriptedAuthorization()), open(await startSelfSignedServer())]
  server.routes.resourceMetadata = {
    json: { resource: server.url, authorization_servers: [untrustworthy.origin] },
  }
  const connection = open(createConnector({ appId, store: memoryStore(), userAgent: scriptedAgent() })).connect(
    server.url,
  )
  await expect(ping(connection)).rejects.toMatchObject({ code: 'network_error', step: 'discover', received: untrusted })
  expect(untrustworthy.requests).toBe(0)
})

it('a server whose certificate is not trusted is asked for no metadata', { tags: 'rfc9728/certificates' }, async () => {
  const untrustworthy = open(await startSelfSignedServer())
  const fetch = async () => new Response(null, { status: 401 })
  const options = { appId, store: memoryStore(), userAgent: scriptedAgent(), fetch }
  const connection = open(createConnector(options)).connect(`${untrustworthy.origin}/mcp`)
  await expect(ping(connection)).rejects.toMatchObject({ code: 'network_error', step: 'discover', received: untrusted })
  expect(untrustworthy.requests).toBe(0)
})

it('a server whose certificate is not trusted gets no token', { tags: 'rfc6750/certificates' }, async () => {
  const [untrustworthy, store] = [open(await startSelfSignedServer()), memoryStore()]
  const url = `${untrustworthy.origin}/mcp`
  await seedGrant(store, { url, tokens: { access_token: 'a', token_type: 'Bearer', issued_at: 0 } })
  const connection = open(createConnector({ appId, store, userAgent: scriptedAgent() })).connect(url)
  await expect(ping(connection)).rejects.toMatchObject({ cause: { code: untrusted } })
  expect(untrustworthy.requests).toBe(0)
})

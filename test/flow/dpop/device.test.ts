import { createConnector, dpop, memoryKeys, memoryStore } from '@countersign/core'
import { decodeJwt } from 'jose'
import { expect, it } from 'vitest'
import { person, startAuthorizationServer, startMcpServer } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { type DevicePage, deviceAgent } from '../../support/device-agent.js'
import { hurriedClock } from '../../support/hurried-clock.js'
import { mcpClient } from '../../support/mcp-client.js'
import { proofsIn } from '../../support/proofs.js'
import { recordingFetch } from '../../support/sent.js'

const open = closing()

it('a sign-in by a code is bound too: each poll proves the key, and so does the refresh', {
  tags: ['rfc9449/token-requests'],
}, async () => {
  const as = open(await startAuthorizationServer({ devices: true, proofNonces: true }))
  const mcp = open(await startMcpServer({ authorizationServer: as, challengeScope: 'notes:read', dpop: 'required' }))
  const alice = person()
  const userAgent = deviceAgent(async (page) => {
    const { verificationUri, userCode } = page as DevicePage
    await alice.enterCode(verificationUri, userCode)
    return 'shown'
  })
  const out = recordingFetch()
  const keys = memoryKeys()
  const all = { store: memoryStore(), keys, userAgent, clock: hurriedClock(5_000), dpop: dpop(), oauthFetch: out.fetch }
  const connection = open(createConnector(all)).connect(mcp.url)
  await using client = await mcpClient(connection)
  expect(await client.call('whoami')).toBe('alice (notes:read)')
  await connection.token({ refresh: true })
  expect(await client.call('whoami')).toBe('alice (notes:read)')

  const requests = out.sent.filter(({ url }) => url.pathname === '/token')
  const proofs = proofsIn(requests)
  expect(proofs).toHaveLength(requests.length)
  expect(new Set(proofs.map(({ header }) => header.jwk?.x)).size).toBe(1)
  expect(Object(decodeJwt((await connection.token()).accessToken).cnf)).toHaveProperty('jkt')
  expect(await keys.ids()).toHaveLength(1)
  expect([...as.errors, ...mcp.errors]).toEqual([])
})

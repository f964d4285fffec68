import { createConnector, encrypted, memoryStore } from '@countersign/node'
import { expect, it } from 'vitest'
import { scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { demandsProofs } from '../support/proof-demanding.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
const appId = 'com.example.agent'

it('Node binds tokens by default, and has the keys in the store: the next process goes on with them, and asks nobody', async () => {
  const server = open(await scriptedAuthorization())
  demandsProofs(server, { tokenNonce: 't', resourceNonce: 'r' })
  const under = memoryStore()
  const keyRing = [{ id: '1', key: new Uint8Array(32).fill(1) }]
  const host = () => {
    const userAgent = scriptedAgent()
    const connector = open(createConnector({ appId, store: encrypted(under, keyRing), userAgent }))
    return { userAgent, connector, connection: connector.connect(server.url) }
  }
  const first = host()
  expect((await ping(first.connection)).status).toBe(200)
  const keys = (await under.keys('')).filter((key) => key.startsWith(`${appId}/key/`))
  expect(keys).toHaveLength(1)
  expect(await under.get(keys[0] ?? '')).not.toContain('"d"')

  const second = host()
  expect((await ping(second.connection)).status).toBe(200)
  expect(await second.connection.token({ refresh: true })).toMatchObject({ tokenType: 'DPoP' })
  expect((await ping(second.connection)).status).toBe(200)
  expect(second.userAgent.begun).toBe(0)

  await second.connection.signOut()
  await second.connector.close()
  expect((await under.keys('')).filter((key) => key.startsWith(`${appId}/key/`))).toEqual([])
})

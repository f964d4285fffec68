import { type ConnectorOptions, createConnector, dpop, type Keys, memoryStore } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { hearing } from '../../support/canaries.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'
import { demandsProofs } from '../../support/proof-demanding.js'
import { storedText } from '../../support/stored.js'
import { scriptedAgent } from '../../support/watched-agent.js'

const open = closing()

/** Keys that can be read, so that a test knows what to look for. */
function openKeys(): Keys & { readonly secrets: Record<string, string> } {
  const pairs = new Map<string, CryptoKeyPair>()
  const secrets: Record<string, string> = {}
  return {
    secrets,
    create: async (id) => {
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
      const pair = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
      const { d = '' } = await crypto.subtle.exportKey('jwk', pair.privateKey)
      secrets[`key ${pairs.size}`] = d
      pairs.set(id, pair)
      return pair
    },
    load: async (id) => pairs.get(id),
    delete: async (id) => void pairs.delete(id),
    ids: async () => [...pairs.keys()],
  }
}

async function connect(options: ConnectorOptions = {}) {
  const server = open(await scriptedAuthorization())
  const proofs = demandsProofs(server, { tokenNonce: 'token-nonce', resourceNonce: 'resource-nonce' })
  const heard = hearing()
  const keys = openKeys()
  const store = memoryStore()
  const told = { log: heard.log, audit: heard.audit }
  const connector = open(
    createConnector({ store, keys, dpop: dpop(), userAgent: scriptedAgent(), ...told, ...options }),
  )
  const connection = connector.connect(server.url)
  heard.watch(connection, connector)
  /** The private keys, and each proof that was sent. */
  const secrets = (): Record<string, string> => ({
    ...keys.secrets,
    ...Object.fromEntries(
      server.requests.flatMap(({ headers }, n) => (headers.dpop ? [[`proof ${n}`, String(headers.dpop)]] : [])),
    ),
  })
  return { server, proofs, heard, keys, store, connection, secrets }
}

/** Answers that repeat all that came, to a fault. */
const echo =
  (status: number, error: string, header: boolean): NonNullable<ScriptedAuthorization['routes']['token']> =>
  ({ headers, body }) => {
    const said = `no good: ${headers.dpop} ${headers.authorization} ${body}`
    return {
      status,
      headers: header
        ? { 'www-authenticate': `DPoP error="${error}", error_description="${said}"`, 'dpop-nonce': 'n' }
        : {},
      json: { error, error_description: said },
    }
  }

describe('neither a private key nor a proof reaches an error, a log event, an audit entry, a snapshot, a trace or the store', () => {
  it('of a login, a refresh and a sign-out that go well', async () => {
    const { heard, connection, secrets, store, keys } = await connect()
    await ping(connection)
    await connection.token({ refresh: true })
    await connection.authorize({ force: true })
    await ping(connection)
    const stored = await storedText(store)
    await connection.signOut()
    expect(Object.keys(keys.secrets)).toHaveLength(2)
    expect(Object.keys(secrets()).length).toBeGreaterThan(8)
    expect(heard.heard.entries).toBe(2)
    expect(await heard.leaks(secrets())).toEqual([])
    for (const secret of Object.values(secrets())) expect(stored).not.toContain(secret)
  })

  it.each(['invalid_dpop_proof', 'use_dpop_nonce', 'invalid_grant', 'invalid_request'])(
    'of a token endpoint that repeats what it was sent: %s',
    async (error) => {
      const { server, heard, connection, secrets } = await connect()
      const good = server.routes.token
      server.routes.token = echo(400, error, false)
      await heard.hear(connection.authorize())
      server.routes.token = good!
      await connection.authorize()
      server.routes.token = echo(400, error, false)
      await heard.hear(connection.token({ refresh: true }))
      expect(heard.heard.errors).toBe(2)
      expect(await heard.leaks(secrets())).toEqual([])
    },
  )

  it.each(['invalid_dpop_proof', 'use_dpop_nonce', 'invalid_token'])(
    'of a resource that repeats what it was sent: %s',
    async (error) => {
      const { server, heard, connection, secrets } = await connect()
      await connection.authorize()
      server.routes.mcp = echo(401, error, true)
      await heard.hear(ping(connection))
      expect(heard.heard.errors).toBe(1)
      expect(await heard.leaks(secrets())).toEqual([])
    },
  )
})

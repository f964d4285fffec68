import { createConnector, memoryStore, type ServerOptions } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { runScript } from '../support/run-script.js'
import { followRedirect } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

const redirectUri = 'https://web.example/callback'

/** A login that one process has begun, completed by another: a connector that was never told any options. */
async function completed(options: ServerOptions) {
  const store = memoryStore()
  const first = open(createConnector({ store })).connect(server.url, { account: 'alice', ...options })
  const { authorizationUrl, state } = await first.beginAuthorization({ redirectUri })
  const connector = open(createConnector({ store }))
  const callback = await followRedirect(authorizationUrl)
  if (!(callback instanceof URLSearchParams)) throw new Error(callback)
  const { connection } = await connector.completeAuthorization(callback, { account: 'alice', state })
  return { connector, connection }
}

describe('a connection that completeAuthorization has opened, without options', () => {
  it('takes those of the first connect that gives any: the same connection, no conflict', async () => {
    const { connector, connection } = await completed({ scope: 'read' })
    const own = { account: 'alice', scope: 'read', interaction: 'never' } as const
    expect(connector.connect(server.url, own)).toBe(connection)
    // They count from now on: `interaction: 'never'` is one of them.
    await expect(connection.beginAuthorization({ redirectUri })).rejects.toMatchObject({ code: 'interaction_required' })
    expect(connector.connect(server.url, own)).toBe(connection)
  })

  it('and keeps them: other ones conflict', async () => {
    const { connector } = await completed({})
    const held = connector.connect(server.url, { account: 'alice', scope: 'read' })
    expect(() => connector.connect(server.url, { account: 'alice', scope: 'write' })).toThrow(
      expect.objectContaining({ code: 'connection_conflict' }),
    )
    expect(connector.connect(server.url, { account: 'alice' })).toBe(held)
  })
})

describe('options of a connection that is held', () => {
  it('a member that is undefined was not given', () => {
    const connector = open(createConnector())
    const held = connector.connect(server.url, { scope: 'read' })
    // A host without exactOptionalPropertyTypes passes these on without a thought.
    const nothing: object = { scope: undefined, client: undefined }
    expect(connector.connect(server.url, nothing)).toBe(held)
    expect(connector.connect(server.url, { ...nothing, scope: 'read' })).toBe(held)
  })

  it.each<[string, ServerOptions, string]>([
    ['two', { scope: 'write' }, 'another scope, interaction'],
    ['one', { scope: 'write', interaction: 'explicit' }, 'another scope'],
    ['one more than it had', { scope: 'read', interaction: 'explicit', loginHint: 'alice' }, 'another loginHint'],
    ['one deep inside', { scope: 'read', interaction: 'explicit', client: { dynamic: false } }, 'another client'],
  ])('others conflict, and the error says in which members: %s', (_name, other, received) => {
    const connector = open(createConnector())
    const held = connector.connect(server.url, { scope: 'read', interaction: 'explicit' })
    const conflict = { code: 'connection_conflict', url: server.url, received }
    expect(() => connector.connect(server.url, other)).toThrow(expect.objectContaining(conflict))
    expect(held.url).toBe(server.url)
  })
})

describe('a host that keeps no reference to a connection', () => {
  it('the login that it began is completed with its options, and its listener is still told', async () => {
    const seen = await runScript(new URL('fixtures/dropped.ts', import.meta.url), server.url)
    expect(seen).toEqual({
      // What nobody holds is collected: without that the rest would show nothing.
      collected: true,
      completed: 'signed_in',
      told: true,
      afterUnsubscribing: 'collected',
    })
    const exchange = server.requests.find(({ path }) => path === '/token')
    expect(new URLSearchParams(exchange?.body).get('client_id')).toBe('by hand')
    expect(new URLSearchParams(exchange?.body).get('client_secret')).toBe('the secret')
  })
})

import { type ConnectorOptions, createConnector, memoryStore, type Snapshot, type Store } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { seedGrant } from '../support/seeded.js'
import { settled, simulatedClock } from '../support/simulated-clock.js'
import { soon } from '../support/soon.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

const connect = (options: ConnectorOptions = {}) =>
  open(createConnector({ appId: 'test', userAgent: scriptedAgent(), ...options })).connect(server.url)

/** What a user interface would have drawn, one after the other. */
function watch(connection: ReturnType<typeof connect>): { readonly drawn: string[]; end(): void } {
  const drawn: string[] = []
  const draw = ({ status, refreshing }: Snapshot): void => {
    const words = refreshing ? `${status}, refreshing` : status
    // The expiry or the scope may change meanwhile: nothing that is drawn here.
    if (drawn.at(-1) !== words) drawn.push(words)
  }
  draw(connection.getSnapshot())
  return { drawn, end: connection.subscribe(() => draw(connection.getSnapshot())) }
}

const seeded = (more: object = {}) => ({
  url: server.url,
  tokens: {
    access_token: 'a',
    token_type: 'Bearer',
    refresh_token: 'r',
    scope: 'read',
    issued_at: 0,
    ...more,
  } as const,
})

describe('the snapshot of a connection', () => {
  it('tells a first sign-in and a sign-out', async () => {
    const connection = connect()
    const { drawn } = watch(connection)
    await ping(connection)
    await connection.signOut()
    expect(drawn).toEqual(['restoring', 'signed_out', 'signing_in', 'signed_in', 'signed_out'])
  })

  it('restoring ends with the first subscribe, and nothing else is asked', async () => {
    const store = memoryStore()
    await seedGrant(store, seeded())
    const never = async (): Promise<never> => expect.unreachable('nothing may be asked')
    const connection = connect({ store, fetch: never, oauthFetch: never })
    await settled()
    expect(connection.getSnapshot()).toEqual({ status: 'restoring', refreshing: false })
    const { drawn } = watch(connection)
    await soon(() => drawn).toEqual(['restoring', 'signed_in'])
    expect(connection.getSnapshot()).toEqual({ status: 'signed_in', refreshing: false, scope: 'read' })
  })

  it('restoring ends with the first call', async () => {
    const store = memoryStore()
    await seedGrant(store, seeded())
    const connection = connect({ store })
    await connection.token()
    expect(connection.getSnapshot().status).toBe('signed_in')
  })

  it('on a server that renders pages it is always restoring', async () => {
    const connection = connect()
    await connection.authorize()
    expect(connection.getServerSnapshot()).toEqual({ status: 'restoring', refreshing: false })
    expect(connection.getServerSnapshot()).toBe(connection.getServerSnapshot())
  })

  it('is the same object until something changes', async () => {
    const connection = connect()
    const before = await connection.authorize()
    await ping(connection)
    await connection.token()
    expect(connection.getSnapshot()).toBe(before)
    await connection.token({ refresh: true })
    expect(connection.getSnapshot()).not.toBe(before)
  })

  it('is frozen, and has no token', async () => {
    const connection = connect()
    const snapshot = await connection.authorize()
    expect(Object.isFrozen(snapshot)).toBe(true)
    expect(Object.keys(snapshot).sort()).toEqual(
      ['expiresAt', 'refreshing', 'scope', 'status'].filter((k) => k in snapshot),
    )
    const { accessToken } = await connection.token()
    expect(JSON.stringify(snapshot)).not.toContain(accessToken)
  })

  it('tells a refresh while it is under way', async () => {
    const connection = connect()
    await connection.authorize()
    const { drawn } = watch(connection)
    await connection.token({ refresh: true })
    expect(drawn).toEqual(['signed_in', 'signed_in, refreshing', 'signed_in'])
  })

  it('tells that a person is needed, until a person has been there', async () => {
    const connection = connect({ interaction: 'explicit' })
    const { drawn } = watch(connection)
    await ping(connection).catch(() => undefined)
    await connection.authorize()
    expect(drawn).toEqual(['restoring', 'signed_out', 'consent_needed', 'signing_in', 'signed_in'])
  })

  it('tells that the login has ended', async () => {
    const store = memoryStore()
    await seedGrant(store, seeded())
    const connection = connect({ store, interaction: 'explicit' })
    const { drawn } = watch(connection)
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(drawn).toEqual(['restoring', 'signed_in', 'signed_in, refreshing', 'signed_in', 'consent_needed'])
  })

  it('carries the error of a login that failed, until the next one begins', async () => {
    server.routes.token = { status: 400, json: { error: 'invalid_request' } }
    const connection = connect()
    const { drawn } = watch(connection)
    await connection.authorize().catch(() => undefined)
    expect(connection.getSnapshot()).toMatchObject({ status: 'failed', error: { code: 'token_request_rejected' } })
    delete server.routes.token
    await connection.authorize()
    expect(connection.getSnapshot()).not.toHaveProperty('error')
    expect(drawn).toEqual(['restoring', 'signing_in', 'failed', 'signing_in', 'signed_in'])
  })

  it('of a token that expires and cannot be renewed: a person is needed', async () => {
    const clock = simulatedClock()
    const store = memoryStore(() => clock.now())
    const { refresh_token: _, ...tokens } = seeded({ expires_at: clock.now() + 1_000 }).tokens
    await seedGrant(store, { url: server.url, tokens })
    const connection = connect({ store, clock, interaction: 'explicit' })
    await connection.token()
    expect(connection.getSnapshot().status).toBe('signed_in')
    await clock.advance(2_000)
    await expect(ping(connection)).rejects.toMatchObject({ interaction: { reason: 'login_ended' } })
    expect(connection.getSnapshot().status).toBe('consent_needed')
  })

  it('of a record that cannot be read: signed out, with a diagnostic, and no login opens by itself', async () => {
    const codes: (string | undefined)[] = []
    const store = memoryStore()
    await seedGrant(store, seeded())
    const [key = ''] = await store.keys('test/grant')
    await store.replace(key, await store.get(key), '{ "format": 99 }')
    const agent = scriptedAgent()
    const connection = connect({ store, userAgent: agent, log: ({ diagnostic }) => codes.push(diagnostic?.code) })
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(codes).toContain('record_discarded')
    expect(agent.begun).toBe(0)
    expect(await store.get(key)).toBe('{ "format": 99 }')
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
  })
})

describe('subscribe', () => {
  it('ends when it is told to, for one listener at a time', async () => {
    const connection = connect()
    const [one, two] = [watch(connection), watch(connection)]
    await connection.authorize()
    one.end()
    await connection.signOut()
    expect(one.drawn.at(-1)).toBe('signed_in')
    expect(two.drawn.at(-1)).toBe('signed_out')
  })

  it('with a store that cannot be read says why, as the next call does, until it can be read', async () => {
    const store = memoryStore()
    let locked = true
    const keychain: Store = {
      ...store,
      name: 'a locked keychain',
      get: (key) => (locked ? Promise.reject(new Error('locked')) : store.get(key)),
    }
    const connection = connect({ store: keychain })
    const { drawn } = watch(connection)
    await soon(() => drawn).toEqual(['restoring', 'failed'])
    expect(connection.getSnapshot()).toMatchObject({ refreshing: false, error: { code: 'store_unavailable' } })
    await expect(connection.token()).rejects.toMatchObject({
      code: 'store_unavailable',
      step: 'read',
      expected: expect.stringMatching(/^test\/grant\/[\w-]+ in a locked keychain$/),
      received: 'locked',
      action: 'fix_configuration',
    })
    locked = false
    await expect(connection.token()).rejects.toMatchObject({ code: 'interaction_required' })
    expect(drawn.at(-1)).toBe('signed_out')
    expect(connection.getSnapshot()).not.toHaveProperty('error')
  })
})

import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ConnectorOptions,
  createConnector,
  encrypted,
  encryptedFileStore,
  keychainStore,
  keyValueStore,
  memoryStore,
  type Store,
} from '@countersign/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeKeytar } from '../../node/store/fake-keytar.js'
import { type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { collector } from '../../support/collector.js'
import { ping } from '../../support/mcp-client.js'
import { followRedirect, scriptedAgent } from '../../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
let place: string

beforeEach(async () => {
  server = open(await scriptedAuthorization())
  place = await mkdtemp(join(tmpdir(), 'countersign-records-'))
})
afterEach(() => rm(place, { recursive: true, force: true }))

const KEY = new Uint8Array(32).fill(5)

/** A place for records, and how another process opens it. */
const stores: Readonly<Record<string, () => () => Store>> = {
  memory: () => {
    const store = memoryStore()
    return () => store
  },
  'a key-value store': () => {
    const values = new Map<string, string>()
    const kv = {
      get: async (key: string) => values.get(key),
      set: async (key: string, value: string) => void values.set(key, value),
      delete: async (key: string) => void values.delete(key),
      keys: async () => [...values.keys()],
    }
    return () => keyValueStore(kv)
  },
  'an encrypted store': () => {
    const store = memoryStore()
    return () => encrypted(store, [{ id: 'k', key: KEY }])
  },
  'a keychain': () => {
    const keytar = fakeKeytar()
    return () => keychainStore({ keytar, lockDirectory: place })
  },
  'encrypted files': () => () => encryptedFileStore({ directory: join(place, 'files'), key: KEY }),
}

function process(store: Store, options: ConnectorOptions = {}) {
  const seen = collector()
  const agent = scriptedAgent()
  const connector = open(createConnector({ appId: 'test', store, userAgent: agent, log: seen.log, ...options }))
  const connect = (account: string) => connector.connect(server.url, { account })
  return { connector, connect, agent, seen, alice: connect('alice'), bob: connect('bob') }
}

type Damage = (text: string) => string

const envelope = (change: (record: Record<string, unknown>) => object): Damage => {
  return (text) => JSON.stringify(change(JSON.parse(text)))
}
const value = (replacement: unknown): Damage => envelope((record) => ({ ...record, value: replacement }))

const half: Damage = (text) => text.slice(0, text.length / 2)
const future: Damage = envelope((record) => ({ ...record, format: 2 }))
const damages: Readonly<Record<string, Damage>> = {
  empty: () => '',
  'half-written': half,
  'written twice': (text) => text + text,
  'no JSON': () => '\u0000\u0001\ud800 garbage',
  foreign: () => '{"tokens":{"access_token":"of somebody else"}}',
  'of a later format': future,
  'of no format': envelope(({ format: _, ...record }) => record),
  'null inside': value(null),
  'a list inside': value([]),
  'empty inside': value({}),
  'of another kind': value({
    url: 1,
    phase: 'paused',
    turn: 'x',
    got: 0,
    client: null,
    metadata: 7,
    fresh_until: 1e99,
  }),
  oversized: () => `"${'x'.repeat(3_000_000)}"`,
}
/** Members that are there, of types that nobody wrote. */
const twisted: readonly (readonly [string, (value: Record<string, unknown>) => object])[] = [
  ['no tokens', (grant) => ({ ...grant, granted: {} })],
  ['tokens of nothing', (grant) => ({ ...grant, granted: { ...(grant.granted as object), tokens: null } })],
  ['a target without an issuer', (grant) => ({ ...grant, granted: { ...(grant.granted as object), target: {} } })],
  ['an unknown phase', (grant) => ({ ...grant, phase: 'paused' })],
  ['a turn that is no number', (grant) => ({ ...grant, turn: '7' })],
  ['a lease that is a text', (grant) => ({ ...grant, lease: 'mine' })],
  ['replaced tokens that are no list', (grant) => ({ ...grant, replaced: { 0: 'r' } })],
  ['replaced tokens of nothing', (grant) => ({ ...grant, replaced: [null] })],
]

/** Signs accounts in, and damages every record of a kind, of the first account's where it is somebody's. */
async function damaged(store: Store, kind: string, damage: Damage, accounts: readonly string[] = ['alice', 'bob']) {
  const first = process(store)
  for (const account of accounts) await first.connect(account).authorize()
  const begun = await first.alice.beginAuthorization({ redirectUri: 'https://web.example/callback' })
  const all = await store.keys(`test/${kind}/`)
  const texts = await Promise.all(all.map((key) => store.get(key)))
  const keys = all.filter((_, n) => kind !== 'grant' || texts[n]?.includes('"account":"alice"'))
  expect(keys.length).toBeGreaterThan(0)
  for (const key of keys) {
    const text = await store.get(key)
    expect(await store.replace(key, text, damage(text ?? ''))).toBe(true)
  }
  const before = await Promise.all(keys.map((key) => store.get(key)))
  const untouched = async () => expect(await Promise.all(keys.map((key) => store.get(key)))).toEqual(before)
  return { keys, untouched, begun }
}

/** Of each kind: a process that starts on the damaged record, and what it comes to. */
const outcomes: Readonly<Record<string, (openStore: () => Store, damage: Damage) => Promise<void>>> = {
  grant: async (openStore, damage) => {
    const { keys, untouched } = await damaged(openStore(), 'grant', damage)
    const { alice, bob, seen, agent, connector } = process(openStore(), { interaction: 'on-demand' })
    await expect(ping(alice)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(agent.begun).toBe(0)
    expect(seen.diagnostics).toContainEqual(expect.objectContaining({ code: 'record_discarded', url: keys[0] }))
    await untouched()
    expect((await ping(bob)).ok).toBe(true)
    expect(await connector.connections()).toMatchObject([{ account: 'bob' }])
    await alice.authorize()
    expect((await ping(alice)).ok).toBe(true)
  },
  registration: async (openStore, damage) => {
    const { keys } = await damaged(openStore(), 'registration', damage)
    server.clearRequests()
    const { alice, bob, seen } = process(openStore())
    await alice.authorize({ force: true })
    expect(server.requests.filter(({ path }) => path === '/register')).toHaveLength(1)
    expect(seen.diagnostics).toContainEqual(expect.objectContaining({ code: 'record_discarded', url: keys[0] }))
    expect((await ping(alice)).ok && (await ping(bob)).ok).toBe(true)
  },
  attempt: async (openStore, damage) => {
    const { keys, begun } = await damaged(openStore(), 'attempt', damage)
    const { connector, alice, bob, seen } = process(openStore())
    const callback = (await followRedirect(begun.authorizationUrl)) as URLSearchParams
    const complete = connector.completeAuthorization(callback, { account: 'alice', state: begun.state })
    await expect(complete).rejects.toMatchObject({ code: 'login_not_found' })
    expect(seen.diagnostics).toMatchObject([{ code: 'record_discarded' }])
    expect(keys).toContain(seen.diagnostics[0]?.url)
    expect((await ping(alice)).ok && (await ping(bob)).ok).toBe(true)
  },
  login: async (openStore, damage) => {
    const asking = process(openStore(), { userAgent: scriptedAgent({ browser: () => new Promise(() => undefined) }) })
    const login = asking.alice.authorize()
    login.catch(() => undefined)
    await expect.poll(() => asking.seen.types).toContain('login_waiting')
    const { keys } = await damaged(openStore(), 'login', damage, ['bob'])
    const { alice, bob, seen, agent } = process(openStore())
    await alice.authorize()
    expect(agent.begun).toBe(1)
    expect(seen.diagnostics).toContainEqual(expect.objectContaining({ code: 'record_discarded', url: keys[0] }))
    expect((await ping(alice)).ok && (await ping(bob)).ok).toBe(true)
  },
  discovery: async (openStore, damage) => {
    const { keys } = await damaged(openStore(), 'discovery', damage)
    server.clearRequests()
    const { alice, bob, seen } = process(openStore())
    await alice.authorize({ force: true })
    expect(server.requests.filter(({ path }) => path.includes('.well-known')).length).toBeGreaterThan(0)
    expect(seen.diagnostics).toContainEqual(expect.objectContaining({ code: 'record_discarded', url: keys[0] }))
    expect((await ping(alice)).ok && (await ping(bob)).ok).toBe(true)
  },
}
const kinds = Object.keys(outcomes)

describe('a record that cannot be read is told of, ends nothing else, and the next login goes well', () => {
  describe.each(kinds)('a %s', (kind) => {
    it.each(Object.keys(damages))('%s', async (name) => {
      await outcomes[kind]!(stores.memory!(), damages[name]!)
    })

    it.each(Object.keys(stores).filter((name) => name !== 'memory'))(
      'half-written, and of a later format, in %s',
      async (name) => {
        await outcomes[kind]!(stores[name]!(), half)
        await rm(join(place, 'files'), { recursive: true, force: true })
        await outcomes[kind]!(stores[name]!(), future)
      },
    )
  })

  it.each(twisted)('a grant with %s', async (_name, change) => {
    await outcomes.grant!(
      stores.memory!(),
      envelope((record) => ({ ...record, value: change(record.value as Record<string, unknown>) })),
    )
  })
})

describe('damage under the store', () => {
  it.each<[string, (file: string) => Promise<void>]>([
    ['emptied', (file) => truncate(file, 0)],
    ['cut', async (file) => truncate(file, (await readFile(file)).length - 9)],
    ['not ours', (file) => writeFile(file, 'something else')],
  ])('every encrypted file %s: signed out, told of, and signed in again', async (_name, damage) => {
    const openStore = stores['encrypted files']!()
    await process(openStore()).alice.authorize()
    const files = (await readdir(join(place, 'files'))).filter((file) => file.endsWith('.record'))
    for (const file of files) await damage(join(place, 'files', file))
    const { alice, seen } = process(openStore(), { interaction: 'on-demand' })
    await expect(ping(alice)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(seen.diagnostics).toMatchObject([{ code: 'record_discarded' }])
    await alice.authorize()
    expect((await ping(process(openStore()).alice)).ok).toBe(true)
  })

  it('every entry of a keychain is garbage: signed out, told of, and signed in again', async () => {
    const keytar = fakeKeytar()
    const openStore = () => keychainStore({ keytar, lockDirectory: place })
    await process(openStore()).alice.authorize()
    for (const name of [...keytar.entries.keys()]) keytar.entries.set(name, 'garbage')
    const { alice, seen } = process(openStore(), { interaction: 'on-demand' })
    await expect(ping(alice)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(seen.diagnostics).toMatchObject([{ code: 'record_discarded' }])
    await alice.authorize()
    expect((await ping(process(openStore()).alice)).ok).toBe(true)
  })

  it('values of another key are an error, and stay as they are', async () => {
    const inner = memoryStore()
    await process(encrypted(inner, [{ id: 'k', key: KEY }])).alice.authorize()
    const [key = ''] = await inner.keys('test/grant/')
    const before = await inner.get(key)
    const other = encrypted(inner, [{ id: 'other', key: new Uint8Array(32).fill(6) }])
    const { alice, agent } = process(other, { interaction: 'on-demand' })
    await expect(ping(alice)).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(alice.authorize()).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await inner.get(key)).toBe(before)
    expect(agent.ends.every(({ ok }) => !ok)).toBe(true)
  })
})

describe('two versions of the library on one store', () => {
  it('a later one’s login is left alone by a refresh, a listing and an explanation of the earlier one', async () => {
    const store = memoryStore()
    const { untouched } = await damaged(store, 'grant', future)
    const { alice, connector } = process(store)
    await alice.token({ refresh: true }).catch(() => undefined)
    await alice.explain()
    await connector.connections()
    await connector.signOut({ account: 'nobody' })
    await untouched()
  })

  it('members that a later one adds are not in the way, and stay through a refresh', async () => {
    const store = memoryStore()
    const { keys } = await damaged(
      store,
      'grant',
      envelope((record) => ({ ...record, extra: 1, value: { ...(record.value as object), later: { a: 1 } } })),
    )
    const { alice } = process(store)
    await alice.token({ refresh: true })
    expect(JSON.parse((await store.get(keys[0] ?? '')) ?? '').value).toMatchObject({ phase: 'valid', later: { a: 1 } })
  })
})

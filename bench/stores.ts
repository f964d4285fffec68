import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Connector,
  createConnector,
  encryptedFileStore,
  keychainStore,
  loopback,
  memoryStore,
  type Store,
} from '@countersign/node'
import { fakeKeytar, hasKeyring, keyringSession } from '@countersign/test/keychain'
import { person } from '@countersign/test/servers'
import { type CountedServers, countedServers } from './hosts/counted-servers.js'
import type { Asked, Group, Values } from './row.js'
import { medianOfTwo, rounded } from './statistics.js'

const CALLS = 50
const RUNS = 5
const REFRESHES = 20

type Place = 'memory' | 'files' | 'keychain'
type Key = `storm-${Place}` | `refresh-${Place}` | 'warm'

/** What a login costs where it is kept. */
export const stores: Group<Key> = {
  title: 'stores',
  rows: {
    'storm-memory': { name: 'storm of 50 calls over memory, refreshes', kind: 'count', unit: 'requests', target: 1 },
    'storm-files': {
      name: 'storm of 50 calls over encrypted files, refreshes',
      kind: 'count',
      unit: 'requests',
      target: 1,
    },
    'storm-keychain': {
      name: 'storm of 50 calls over the keychain, refreshes',
      kind: 'count',
      unit: 'requests',
      target: 1,
    },
    warm: { name: 'start with a valid token, reads of the keychain', kind: 'count', unit: 'reads', target: 1 },
    'refresh-memory': { name: 'lease of a refresh over memory', kind: 'time', unit: 'ms' },
    'refresh-files': { name: 'lease of a refresh over encrypted files', kind: 'time', unit: 'ms' },
    'refresh-keychain': { name: 'lease of a refresh over the keychain', kind: 'time', unit: 'ms' },
  },
  async measure({ rows }) {
    const measured: Partial<Record<Key, Values>> = {}
    if (rows.has('warm')) measured.warm = { ours: await readsOfWarmStart() }
    for (const place of ['memory', 'files', 'keychain'] as const) {
      if (rows.has(`storm-${place}`) || rows.has(`refresh-${place}`)) await over(place, rows, measured)
    }
    return measured
  },
}

async function over(place: Place, rows: Asked<Key>['rows'], measured: Partial<Record<Key, Values>>): Promise<void> {
  await using kept = await opened(place)
  if (kept === undefined) {
    const missing = { ours: null, note: 'needs gnome-keyring and dbus: tools/ci-debian.sh' }
    measured[`storm-${place}`] = missing
    measured[`refresh-${place}`] = missing
    return
  }
  if (rows.has(`storm-${place}`)) measured[`storm-${place}`] = await stormsOver(kept.newStore)
  if (rows.has(`refresh-${place}`)) measured[`refresh-${place}`] = await leasesOver(kept.newStore())
}

/** The worst of a few storms. */
async function stormsOver(newStore: () => Store): Promise<Values> {
  const found: number[] = []
  for (let run = 0; run < RUNS; run++) {
    await using servers = await countedServers(3_600)
    const { tokenEndpoint } = servers.authorizationServer
    tokenEndpoint.accessTokenTtlSeconds = 1
    await using connector = await signedIn(servers, newStore())
    tokenEndpoint.accessTokenTtlSeconds = undefined
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    servers.clear()
    const { fetch } = connector.connect(servers.url)
    const answers = await Promise.all(Array.from({ length: CALLS }, () => fetch(servers.url, ping)))
    if (answers.some(({ status }) => status === 401)) throw new Error('a call was refused')
    found.push(servers.refreshes())
  }
  return { ours: Math.max(...found), note: `run by run: ${found.join(' ')}` }
}

const ping = {
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
}

/** What a refresh takes beside its request: the lease, the mark and the tokens, each stored before what comes next. */
async function leasesOver(store: Store): Promise<Values> {
  let onTheWayMs = 0
  let writes = 0
  const replace: Store['replace'] = (...write) => {
    writes++
    return store.replace(...write)
  }
  await using servers = await countedServers(3_600)
  await using connector = await signedIn(servers, { ...store, replace }, async (input, init) => {
    const began = performance.now()
    const response = await fetch(input, init)
    // To its end, which is what the answer is waited for.
    const text = await response.clone().text()
    onTheWayMs = performance.now() - began
    return new Response(text, response)
  })
  const connection = connector.connect(servers.url)
  const half = async (): Promise<readonly number[]> => {
    const found: number[] = []
    for (let time = 0; time < REFRESHES; time++) {
      const began = performance.now()
      await connection.token({ refresh: true })
      found.push(performance.now() - began - onTheWayMs)
    }
    return found
  }
  await half()
  writes = 0
  const { median, benches } = medianOfTwo(await half(), await half())
  return { ours: rounded(median), benches, note: `${writes / (2 * REFRESHES)} writes each` }
}

/** How often a keychain is asked by a process that finds a login whose token is good. */
async function readsOfWarmStart(): Promise<number> {
  const keytar = fakeKeytar()
  await using servers = await countedServers(3_600)
  await (await signedIn(servers, keychainStore({ keytar, service: 'bench' })))[Symbol.asyncDispose]()
  keytar.calls.length = 0
  await using connector = start(keychainStore({ keytar, service: 'bench' }))
  const { status } = await connector.connect(servers.url).fetch(servers.url, ping)
  if (status === 401) throw new Error('the start was not warm')
  return keytar.calls.length
}

const start = (store: Store, oauthFetch?: typeof fetch): Connector =>
  createConnector({
    appId: 'com.example.bench',
    store,
    userAgent: loopback({ open: person().open }),
    ...(oauthFetch && { oauthFetch }),
  })

async function signedIn({ url }: CountedServers, store: Store, oauthFetch?: typeof fetch): Promise<Connector> {
  const connector = start(store, oauthFetch)
  await connector.connect(url).authorize()
  return connector
}

interface Kept extends AsyncDisposable {
  newStore(): Store
}

/** @returns undefined where this machine has no such store */
async function opened(place: Place): Promise<Kept | undefined> {
  if (place === 'memory') return { newStore: () => memoryStore(), [Symbol.asyncDispose]: async () => undefined }
  let last = 0
  if (place === 'files') {
    const folder = await mkdtemp(join(tmpdir(), 'countersign-bench-'))
    const key = new Uint8Array(32).fill(1)
    return {
      newStore: () => encryptedFileStore({ directory: join(folder, String(++last)), key }),
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
    }
  }
  if (!hasKeyring) return undefined
  const session = await keyringSession()
  Object.assign(process.env, session.env)
  return {
    newStore: () => keychainStore({ service: `bench ${++last}` }),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}

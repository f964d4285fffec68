import { setTimeout } from 'node:timers/promises'
import {
  type Connection,
  type Connector,
  createConnector,
  type Fetch,
  memoryStore,
  type Store,
} from '@countersign/core'
import { server, signedIn } from './support/signed-in.js'

// What connections cost that a host holds and does not use, and what is left when it lets them go. Argument: `new` for such as
// have never been used, `used` for such as are signed in and have sent requests. Runs with --expose-gc.

const COUNT = 10_000

const answer = new Response(null, { status: 202 })
const stub: Fetch = async (_input, init) => {
  if (!new Headers(init?.headers).has('authorization')) throw new Error('a request went out without its token')
  return answer
}

/** A login that every connection finds, and that no memory of this process is spent on. */
async function sharedLogin(): Promise<Store> {
  const store = memoryStore()
  await signedIn({ store, fetch: stub })
  const [key = ''] = await store.keys('bench/grant/')
  const record = await store.get(key)
  return { name: 'one login for all', get: async () => record, replace: async () => false, keys: async () => [] }
}

/** Bytes that are in use once nothing more can be collected: finalizers take turns of the loop, and free more. */
async function heapInUse(): Promise<number> {
  for (let turn = 0; turn < 8; turn++) {
    globalThis.gc?.()
    await setTimeout(5)
  }
  return process.memoryUsage().heapUsed
}

async function open(connector: Connector, used: boolean): Promise<Connection[]> {
  const connections: Connection[] = []
  for (let index = 0; index < COUNT; index++) {
    const connection = connector.connect(`${server}/${index}`)
    // The first finds the login in the store, the second does as all that follow.
    for (let request = 0; used && request < 2; request++) {
      await connection.fetch(connection.url, { method: 'POST', body: '{}' })
    }
    connections.push(connection)
  }
  return connections
}

const used = process.argv[2] === 'used'
const connector = createConnector({ appId: 'bench', store: await sharedLogin(), fetch: stub })
// Once before, so that what is compiled and cached on first use is not counted.
await open(connector, used)

const before = await heapInUse()
let connections: Connection[] = await open(connector, used)
const held = await heapInUse()
const watched = connections.map((connection) => new WeakRef(connection))
connections = []
await heapInUse()
const alive = watched.filter((ref) => ref.deref() !== undefined).length
watched.length = 0
const left = await heapInUse()

process.stdout.write(JSON.stringify({ held: (held - before) / COUNT, left: (left - before) / COUNT, alive }))

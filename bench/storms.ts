import { setTimeout } from 'node:timers/promises'
import { type Contestant, contestants } from './hosts/contestants.js'
import { type CountedServers, countedServers } from './hosts/counted-servers.js'
import type { Host, Session } from './hosts/host.js'
import type { Group, Values } from './row.js'
import { median } from './statistics.js'

const RUNS = 5
const sizes = [5, 50] as const
type Size = (typeof sizes)[number]

/** Parallel calls of one client whose token has expired, at a server that rotates refresh tokens and ends a login that replays one. */
export const storms: Group<`${'refreshes' | 'failed' | 'lost'}${Size}`> = {
  title: 'refresh storms',
  rows: {
    refreshes5: { name: 'storm of 5 calls, refreshes', kind: 'count', unit: 'requests', target: 1 },
    failed5: { name: 'storm of 5 calls, failed calls', kind: 'count', unit: 'calls', target: 0 },
    lost5: { name: 'storm of 5 calls, no working login left', kind: 'count', unit: '% of runs', target: 0 },
    refreshes50: { name: 'storm of 50 calls, refreshes', kind: 'count', unit: 'requests', target: 1 },
    failed50: { name: 'storm of 50 calls, failed calls', kind: 'count', unit: 'calls', target: 0 },
    lost50: { name: 'storm of 50 calls, no working login left', kind: 'count', unit: '% of runs', target: 0 },
  },
  async measure(asked) {
    const found = await weather(contestants(asked))
    return {
      refreshes5: worstOf(found, 5, ({ refreshes }) => refreshes),
      failed5: worstOf(found, 5, ({ failed }) => failed),
      lost5: lostOf(found, 5),
      refreshes50: worstOf(found, 50, ({ refreshes }) => refreshes),
      failed50: worstOf(found, 50, ({ failed }) => failed),
      lost50: lostOf(found, 50),
    }
  },
}

interface Storm {
  readonly by: Contestant['name']
  readonly size: Size
  readonly refreshes: number
  readonly failed: number
  /** Whether what the host keeps afterwards is a login that still works. */
  readonly kept: boolean
}

/** A client that is connected, and waits for its token to expire. */
interface Calm {
  readonly by: Contestant['name']
  readonly size: Size
  readonly servers: CountedServers
  readonly host: Host
  readonly session: Session
}

/** All connect, all expire, then one storm after the other, so that none is in another's way. */
async function weather(all: readonly Contestant[]): Promise<readonly Storm[]> {
  const calm = (await Promise.all(all.map(connectAll))).flat()
  await setTimeout(Math.max(...all.map(({ expiredAfterMs }) => expiredAfterMs)))
  const found: Storm[] = []
  for (const one of calm) found.push(await storm(one))
  for (const servers of new Set(calm.map((one) => one.servers))) await servers[Symbol.asyncDispose]()
  return found
}

async function connectAll({ name, tokenTtlSeconds, makeHost }: Contestant): Promise<readonly Calm[]> {
  const servers = await countedServers(tokenTtlSeconds)
  const runs = sizes.flatMap((size) => Array.from({ length: RUNS }, () => size))
  return Promise.all(
    runs.map(async (size) => {
      const host = makeHost({ cacheDiscovery: true })
      return { by: name, size, servers, host, session: await host.connect(servers.url) }
    }),
  )
}

async function storm({ by, size, servers, host, session }: Calm): Promise<Storm> {
  servers.clear()
  const calls = await Promise.allSettled(Array.from({ length: size }, () => session.call()))
  const failed = calls.filter(({ status }) => status === 'rejected').length
  await servers.requests()
  const refreshes = servers.refreshes()
  const kept = await host.keepsLogin(servers.url)
  await session.close()
  await host[Symbol.asyncDispose]()
  return { by, size, refreshes, failed, kept }
}

/** The worst of our runs, and the median of theirs. */
function worstOf(storms: readonly Storm[], size: Size, of: (storm: Storm) => number): Values {
  const runs = runsOf(storms, size, of)
  const shown = runs.map(([name, found]) => `${name} ${found.join(' ')}`)
  return {
    ...sides(runs, median),
    ours: Math.max(...runs.flatMap(([name, found]) => (name === 'ours' ? found : []))),
    note: `run by run: ${shown.join(', ')}`,
  }
}

/** The percentage of runs that lost the login, ours and theirs. */
const lostOf = (storms: readonly Storm[], size: Size): Values =>
  sides(
    runsOf(storms, size, ({ kept }) => (kept ? 0 : 100)),
    (found) => found.reduce((sum, one) => sum + one, 0) / found.length,
  )

type Runs = readonly (readonly [name: Contestant['name'], found: readonly number[]])[]

/** One figure of every storm of a size, by those who took part. */
function runsOf(storms: readonly Storm[], size: Size, of: (storm: Storm) => number): Runs {
  const names = [...new Set(storms.map(({ by }) => by))]
  return names.map((name) => [name, storms.filter((storm) => storm.by === name && storm.size === size).map(of)])
}

function sides(runs: Runs, combine: (found: readonly number[]) => number): Values {
  const { ours, ...peers } = Object.fromEntries(runs.map(([name, found]) => [name, combine(found)]))
  return { ours: ours ?? null, peers }
}

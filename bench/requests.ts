import { setTimeout } from 'node:timers/promises'
import { type Contestant, contestants } from './hosts/contestants.js'
import { type CountedServers, countedServers } from './hosts/counted-servers.js'
import type { Group, Values } from './row.js'

type Scenario = 'cold' | 'warm' | 'expired' | 'second'
type Counts = Readonly<Record<Scenario, number>>

/** HTTP requests that reach real servers when a client connects: initialize, initialized, the GET stream and all OAuth. */
export const requests: Group<Scenario | 'coldCached' | 'expiredCached'> = {
  title: 'requests of a connect',
  rows: {
    cold: { name: 'connect, first time', kind: 'count', unit: 'requests', target: 8 },
    coldCached: { name: 'connect, first time, SDKs with discoveryState', kind: 'count', unit: 'requests', target: 8 },
    warm: { name: 'connect, token valid', kind: 'count', unit: 'requests', target: 3 },
    expired: { name: 'connect, token expired', kind: 'count', unit: 'requests', target: 4 },
    expiredCached: {
      name: 'connect, token expired, SDKs with discoveryState',
      kind: 'count',
      unit: 'requests',
      target: 4,
    },
    second: { name: 'connect, second server of an issuer', kind: 'count', unit: 'requests', target: 6 },
  },
  async measure(asked) {
    const plain = await count(contestants(asked), false)
    const caching = await count(
      contestants(asked).filter(({ name }) => name !== 'mcp-remote'),
      true,
    )
    return {
      cold: valuesOf(plain, 'cold'),
      coldCached: valuesOf(caching, 'cold'),
      warm: valuesOf(plain, 'warm'),
      expired: valuesOf(plain, 'expired'),
      expiredCached: valuesOf(caching, 'expired'),
      second: {
        ...valuesOf(plain, 'second'),
        ...(asked.peers && {
          note: `with discoveryState: v1 ${caching.get('sdk-v1')?.second}, v2 ${caching.get('sdk-v2')?.second}`,
        }),
      },
    }
  },
}

type Counted = ReadonlyMap<Contestant['name'], Counts>

/** All at once, each with servers of its own: most of it is waiting. */
async function count(which: readonly Contestant[], cacheDiscovery: boolean): Promise<Counted> {
  return new Map(await Promise.all(which.map(async (one) => [one.name, await scenarios(one, cacheDiscovery)] as const)))
}

function valuesOf(counted: Counted, scenario: Scenario): Values {
  const of = (name: Contestant['name']): number | undefined => counted.get(name)?.[scenario]
  const peers = { 'sdk-v1': of('sdk-v1'), 'sdk-v2': of('sdk-v2'), 'mcp-remote': of('mcp-remote') }
  return { ours: of('ours') ?? null, peers }
}

async function scenarios(contestant: Contestant, cacheDiscovery: boolean): Promise<Counts> {
  await using servers = await countedServers(300)
  await using expiring = await countedServers(contestant.tokenTtlSeconds)
  await using host = contestant.makeHost({ cacheDiscovery })

  const connect = async (at: CountedServers, url: string): Promise<number> => {
    at.clear()
    const session = await host.connect(url)
    const counted = await at.requests()
    await session.close()
    return counted
  }
  await connect(expiring, expiring.url)
  const expiry = setTimeout(contestant.expiredAfterMs)
  const cold = await connect(servers, servers.url)
  const warm = await connect(servers, servers.url)
  const second = await connect(servers, servers.secondUrl)
  await expiry
  return { cold, warm, second, expired: await connect(expiring, expiring.url) }
}

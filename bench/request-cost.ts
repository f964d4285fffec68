import { child } from './child.js'
import type { Group, Values } from './row.js'
import { stage } from './stage.js'
import { median, medianOfTwo, rounded } from './statistics.js'

/** Processes a bench takes: what a compiler makes of the same code differs from one to the next. */
const PROCESSES = 5

type Key = 'v1' | 'v2' | 'alone'

/** What a request with a valid token costs over a network that costs nothing. */
export const requestCost: Group<Key> = {
  title: 'cost of an authorized request',
  rows: {
    v1: { name: 'authorized send, v1 transport', kind: 'time', unit: '× own provider', target: 1.2 },
    v2: { name: 'authorized send, v2 transport', kind: 'time', unit: '× own provider', target: 1.2 },
    alone: { name: 'authorized fetch alone', kind: 'time', unit: '× one Headers', target: 2 },
  },
  async measure({ rows }) {
    const measured: Partial<Record<Key, Values>> = {}
    if (rows.has('v1')) measured.v1 = { ...(await compare('v1')), peers: { 'sdk-v1': 1 } }
    if (rows.has('v2')) measured.v2 = { ...(await compare('v2')), peers: { 'sdk-v2': 1 } }
    if (rows.has('alone')) measured.alone = await compare('alone')
    return measured
  },
}

interface Cost {
  readonly ours: number
  readonly base: number
  readonly bare: number
}

async function compare(comparison: Key): Promise<Values> {
  const first = await bench(comparison)
  const second = await bench(comparison)
  const ratio = ({ ours, base }: Cost): number => ours / base
  const found = medianOfTwo(first.map(ratio), second.map(ratio))
  const microseconds = (way: keyof Cost): number =>
    rounded(median([...first, ...second].map((cost) => cost[way])) / 1000)
  return {
    ours: rounded(found.median),
    benches: found.benches,
    note: `${microseconds('ours')} µs against ${microseconds('base')}; ${microseconds('bare')} without authorization`,
  }
}

async function bench(comparison: Key): Promise<readonly Cost[]> {
  const { folder, child: program } = await stage()
  const costs: Cost[] = []
  for (let process = 0; process < PROCESSES; process++) {
    const turns = await child<Record<keyof Cost, number[]>>(program('request-cost'), {
      args: [comparison],
      cwd: folder,
    })
    costs.push({ ours: median(turns.ours), base: median(turns.base), bare: median(turns.bare) })
  }
  return costs
}

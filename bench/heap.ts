import { child } from './child.js'
import type { Group, Values } from './row.js'
import { stage } from './stage.js'
import { median } from './statistics.js'

/** Processes for each figure. They differ by less than a hundredth. */
const PROCESSES = 4

/** What connections cost that a host holds, and what stays when it lets them go. */
export const heap: Group<'new' | 'used' | 'left' | 'alive'> = {
  title: 'heap of 10 000 connections',
  rows: {
    new: { name: 'heap of an idle connection, never used', kind: 'size', unit: 'bytes', target: 4096 },
    used: { name: 'heap of an idle connection, signed in', kind: 'size', unit: 'bytes', target: 4096 },
    // Finalizers and compiled code come and go; an entry that were left in a map would be over a hundred bytes.
    left: { name: 'heap left of each after the host let it go', kind: 'size', unit: 'bytes', target: 64 },
    alive: { name: 'connections left of 10 000', kind: 'count', unit: 'connections', target: 0 },
  },
  async measure() {
    const fresh = await runs('new')
    const used = await runs('used')
    return {
      new: ofTwo(fresh.map(({ held }) => held)),
      used: ofTwo(used.map(({ held }) => held)),
      left: ofTwo(used.map(({ left }) => left)),
      alive: { ours: Math.max(...[...fresh, ...used].map(({ alive }) => alive)) },
    }
  },
}

interface Heap {
  /** Bytes of a connection, while it is held. */
  readonly held: number
  readonly left: number
  readonly alive: number
}

async function runs(kind: 'new' | 'used'): Promise<readonly Heap[]> {
  const { folder, child: program } = await stage()
  const found: Heap[] = []
  for (let run = 0; run < PROCESSES; run++) {
    found.push(await child<Heap>(program('heap'), { flags: ['--expose-gc'], args: [kind], cwd: folder }))
  }
  return found
}

function ofTwo(bytes: readonly number[]): Values {
  const half = bytes.length / 2
  const benches = [median(bytes.slice(0, half)), median(bytes.slice(half))].map(Math.round)
  return { ours: Math.round(median(bytes)), benches: [benches[0] ?? 0, benches[1] ?? 0] }
}

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { child } from './child.js'
import type { Group } from './row.js'
import { stage } from './stage.js'
import { median, medianOfTwo, rounded } from './statistics.js'

/** Runs of a bench, for each of the programs. */
const RUNS = 21

/** What a host writes at the top of its program. */
const programs = {
  bare: '',
  ours: "import '@countersign/node'",
  'sdk-v1':
    "import '@modelcontextprotocol/sdk/client/index.js'\nimport '@modelcontextprotocol/sdk/client/streamableHttp.js'",
  'sdk-v2': "import '@modelcontextprotocol/client'",
} as const

type Program = keyof typeof programs
type Times = Readonly<Record<Program, readonly number[]>>

/** What our package loads when it is first used, and not before: each costs more than all the rest. */
const lazy = /\/node_modules\/(?:[^/]+\/)*?(undici|open|@napi-rs\/keyring|keytar|ipaddr\.js)\//

/** What importing costs a program, each in a process of its own. */
export const importTime: Group<'share' | 'time' | 'modules' | 'early'> = {
  title: 'import time',
  rows: {
    share: { name: 'import of @countersign/node', kind: 'time', unit: '× v2 client', target: 1 / 3 },
    time: { name: 'import, added to bare Node', kind: 'time', unit: 'ms' },
    modules: { name: 'import, modules loaded', kind: 'count', unit: 'modules' },
    early: { name: 'import, modules that should load on first use', kind: 'count', unit: 'modules', target: 0 },
  },
  async measure({ rows }) {
    const paths = await write()
    const loaded = {
      ours: await modules(paths.ours),
      'sdk-v1': await modules(paths['sdk-v1']),
      'sdk-v2': await modules(paths['sdk-v2']),
    }
    const early = loaded.ours.filter((url) => lazy.test(url) || url === 'fetch')
    const counts = {
      modules: {
        ours: loaded.ours.length,
        peers: { 'sdk-v1': loaded['sdk-v1'].length, 'sdk-v2': loaded['sdk-v2'].length },
      },
      early: { ours: early.length, ...(early.length > 0 && { note: early.join(', ') }) },
    }
    if (!rows.has('share') && !rows.has('time')) return counts

    const first = await bench(paths)
    const second = await bench(paths)
    const added = (program: Program) =>
      medianOfTwo(
        first[program].map((time) => time - median(first.bare)),
        second[program].map((time) => time - median(second.bare)),
      )
    const ours = added('ours')
    const v1 = added('sdk-v1')
    const v2 = added('sdk-v2')
    const [firstShare, secondShare] = [0, 1].map((bench) => (ours.benches[bench] ?? 0) / (v2.benches[bench] ?? 0))
    return {
      ...counts,
      share: {
        ours: rounded(ours.median / v2.median),
        peers: { 'sdk-v1': rounded(v1.median / v2.median), 'sdk-v2': 1 },
        benches: [firstShare ?? 0, secondShare ?? 0],
      },
      time: {
        ours: rounded(ours.median),
        peers: { 'sdk-v1': rounded(v1.median), 'sdk-v2': rounded(v2.median) },
        benches: ours.benches,
        note: `bare Node takes ${rounded(median([...first.bare, ...second.bare]))} ms`,
      },
    }
  },
}

async function write(): Promise<Readonly<Record<Program, string>>> {
  const { folder } = await stage()
  const written = Object.entries(programs).map(async ([name, code]) => {
    const path = join(folder, `import-${name}.js`)
    // Since the process began, so that loading the loader is in it and starting the process is not.
    await writeFile(path, `${code}\nprocess.stdout.write(String(performance.now()))\n`)
    return [name, path] as const
  })
  return Object.fromEntries(await Promise.all(written)) as Record<Program, string>
}

/** Milliseconds from the start of the process to the end of its imports, in turns. */
async function bench(paths: Readonly<Record<Program, string>>): Promise<Times> {
  const times: Record<Program, number[]> = { bare: [], ours: [], 'sdk-v1': [], 'sdk-v2': [] }
  const names = Object.keys(times) as Program[]
  // The first of each warms the disk's cache, and is not counted.
  for (let run = -1; run < RUNS; run++) {
    for (const name of names) {
      const time = await child<number>(paths[name])
      if (run >= 0) times[name].push(time)
    }
  }
  return times
}

/** Every file that a program has loaded at its end, by URL. */
async function modules(path: string): Promise<readonly string[]> {
  const { folder, child: program } = await stage()
  return child(program('loaded-modules'), { args: [path], cwd: folder })
}

import { heap } from './heap.js'
import { importTime } from './import-time.js'
import { describeMachine } from './machine.js'
import { type Options, parseOptions, usage } from './options.js'
import { requestCost } from './request-cost.js'
import { requests } from './requests.js'
import { type Figure, figure, type Group, row, type Spec } from './row.js'
import { size } from './size.js'
import { rounded } from './statistics.js'
import { stores } from './stores.js'
import { storms } from './storms.js'
import { table } from './table.js'

// Where we stand beside what a host would otherwise use, in one run.

const groups: readonly Group[] = [requestCost, requests, storms, stores, size, importTime, heap]

/** The rows of a group that are asked for, by key. */
const wanted = ({ rows }: Group, { only, check }: Options): readonly [string, Spec][] =>
  Object.entries(rows).filter(([, { name, kind }]) => only.test(name) && !(check && kind === 'time'))

async function measure(group: Group, options: Options): Promise<readonly Figure[]> {
  const rows = wanted(group, options)
  if (rows.length === 0) return []
  process.stderr.write(`measuring: ${group.title}\n`)
  const measured = await group.measure({ rows: new Set(rows.map(([key]) => key)), peers: !options.check })
  return rows.map(([key, spec]) => {
    const values = measured[key]
    if (values === undefined) throw new Error(`"${spec.name}" was not measured`)
    return figure(spec, values)
  })
}

const options = parseOptions(process.argv.slice(2))
if (options === undefined || groups.every((group) => wanted(group, options).length === 0)) {
  process.stderr.write(`${usage}\n`)
  process.exit(2)
}

// The SDKs tell a developer on the console what goes wrong, and in a storm much does.
console.warn = () => undefined

const figures: Figure[] = []
for (const group of groups) figures.push(...(await measure(group, options)))
const missed = figures.filter(({ met }) => met === false)

if (options.json) {
  process.stdout.write(`${JSON.stringify(figures.map(row), null, 2)}\n`)
} else {
  const lines = missed.map(
    ({ name, unit, ours, target }) => `MISSED: ${name}: ${ours} ${unit}, at most ${rounded(target ?? 0)}`,
  )
  if (missed.length === 0) lines.push('Every target is met.')
  process.stdout.write(`${describeMachine()}\n\n${table(figures)}\n\n${lines.join('\n')}\n`)
}
process.exit(options.check && missed.length > 0 ? 1 : 0)

import { heap } from './heap.js'
import { importTime } from './import-time.js'
import { describeMachine } from './machine.js'
import { parseOptions } from './options.js'
import { requestCost } from './request-cost.js'
import { requests } from './requests.js'
import { type Figure, figure, type Group, row } from './row.js'
import { size } from './size.js'
import { rounded } from './statistics.js'
import { storms } from './storms.js'
import { table } from './table.js'

// Where we stand beside what a host would otherwise use, in one run:
//   pnpm bench [--json] [--check] [--only <regular expression>]

const groups: readonly Group[] = [requestCost, requests, storms, size, importTime, heap]

const options = parseOptions(process.argv.slice(2))
// The SDKs tell a developer on the console what goes wrong, and in a storm much does.
console.warn = () => undefined

const figures: Figure[] = []
for (const group of groups) {
  const wanted = Object.entries(group.rows).filter(
    ([, spec]) => (options.only?.test(spec.name) ?? true) && !(options.check && spec.kind === 'time'),
  )
  if (wanted.length === 0) continue
  process.stderr.write(`measuring: ${group.title}\n`)
  const measured = await group.measure({ rows: new Set(wanted.map(([key]) => key)), peers: !options.check })
  for (const [key, spec] of wanted) {
    const values = measured[key]
    if (values === undefined) throw new Error(`"${spec.name}" was not measured`)
    figures.push(figure(spec, values))
  }
}

const missed = figures.filter(({ met }) => met === false)
if (options.json) {
  process.stdout.write(`${JSON.stringify(figures.map(row), null, 2)}\n`)
} else {
  process.stdout.write(`${describeMachine()}\n\n${table(figures)}\n`)
  for (const { name, unit, ours, target } of missed) {
    process.stdout.write(`\nMISSED: ${name}: ${ours} ${unit}, at most ${rounded(target ?? 0)}`)
  }
  process.stdout.write(missed.length === 0 ? '\nEvery target is met.\n' : '\n')
}
process.exit(options.check && missed.length > 0 ? 1 : 0)

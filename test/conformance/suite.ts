import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installSuite } from './install.js'
import { type Judged, listScenarios, runScenario } from './scenarios.js'

/** As the environment variables of `run-auth-suite.sh`. */
export interface SuiteOptions {
  readonly command: string
  readonly baseline: string
  readonly out: string
  readonly jobs: number
  readonly only: string
}

/** What `run-auth-suite.sh` does, for where that script is not: the same rows, rules, output and files. */
export async function runSuite(options: SuiteOptions): Promise<{ readonly code: number; readonly output: string }> {
  const suite = await installSuite(process.env)
  const scenarios = await listScenarios(suite, new RegExp(options.only))
  if (scenarios.length === 0) return { code: 2, output: 'no scenario selected\n' }
  const judged: Judged[] = []
  const queue = scenarios.entries()
  const worker = async (): Promise<void> => {
    for (const [at, scenario] of queue) {
      const folder = join(options.out, scenario.version, scenario.name)
      judged[at] = await runScenario(suite, scenario, options.command, folder)
    }
  }
  await Promise.all(Array.from({ length: options.jobs }, worker))
  await writeFile(join(options.out, 'summary.tsv'), summary(judged))
  const lines = judged.map((row) => {
    const counts = ['SUCCESS', 'FAILURE', 'WARNING'].map((status) => String(count(row, status)).padStart(3))
    return `${nameOf(row).padEnd(56)} ${verdictOf(row)} ${counts.join(' ')}`
  })
  const surprises = compare(judged, await readBaseline(options.baseline))
  const passed = `PASS ${judged.filter((row) => row.passed).length}/${judged.length}`
  return { code: surprises.length === 0 ? 0 : 1, output: [...lines, ...surprises, passed, ''].join('\n') }
}

const nameOf = ({ name, version }: Judged): string => `${name}@${version}`
const verdictOf = ({ passed }: Judged): string => (passed ? 'pass' : 'fail')
const count = ({ checks }: Judged, status: string): number => checks.filter((check) => check.status === status).length

/** Exactly the listed rows fail: one more is a failure, one fewer is a line that has to go. */
function compare(judged: readonly Judged[], baseline: ReadonlySet<string>): readonly string[] {
  const unexpected = judged.filter((row) => !row.passed && !baseline.has(nameOf(row)))
  const stale = judged.filter((row) => row.passed && baseline.has(nameOf(row)))
  return [
    ...unexpected.map((row) => `unexpected failure: ${nameOf(row)}`),
    ...stale.map((row) => `stale baseline entry: ${nameOf(row)}`),
  ]
}

async function readBaseline(file: string): Promise<ReadonlySet<string>> {
  const lines = (await readFile(file, 'utf8')).split('\n')
  return new Set(lines.map((line) => line.replace(/#.*/, '').trim()).filter((line) => line !== ''))
}

function summary(judged: readonly Judged[]): string {
  const rows = judged.map((row) => [nameOf(row), verdictOf(row), notOk(row).join(',')].join('\t'))
  return `${['row\tverdict\tnot_ok_checks', ...rows].join('\n')}\n`
}

const notOk = ({ checks }: Judged): readonly string[] => {
  const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
  return [...new Set(bad.map(({ id, status }) => `${status[0]}:${id}`))]
}

/**
 * `pnpm conformance [command]`: the official suite against our client, or against another command. Prints a line for each row
 * and `PASS x/53` as the last one; exits with 0 if exactly the rows of `baseline.txt` fail.
 *
 * Environment: `ONLY` (regular expression on scenario names), `JOBS`, `BASELINE`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleClient } from './bundle.js'
import { runSuite, type SuiteOptions } from './suite.js'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const script = here('../../../shared/conformance/run-auth-suite.sh')
const cache = here('../../node_modules/.cache/conformance')

async function main(): Promise<number> {
  const { env } = process
  const options: SuiteOptions = {
    command: process.argv[2] ?? (await ourClient()),
    baseline: env.BASELINE ?? here('baseline.txt'),
    out: join(cache, 'results'),
    jobs: Number(env.JOBS ?? Math.min(4, availableParallelism())),
    only: env.ONLY ?? '.',
  }
  // The verdict of an earlier run must not be taken for this one's.
  await rm(options.out, { recursive: true, force: true })
  await mkdir(options.out, { recursive: true })
  const { code, output } = existsSync(script) ? runScript(options) : await runSuite(options)
  process.stdout.write(await explained(output, options.out))
  return code
}

/** @returns the command that runs it, on the Node that runs this */
async function ourClient(): Promise<string> {
  const client = join(cache, 'client.mjs')
  await bundleClient(client)
  return `"${process.execPath}" "${client}"`
}

function runScript({ command, baseline, out, jobs, only }: SuiteOptions): { code: number; output: string } {
  const { status, stdout } = spawnSync(script, [command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BASELINE: baseline, OUT: out, JOBS: String(jobs), ONLY: only },
  })
  return { code: status ?? 2, output: stdout }
}

/** Says below a row that failed unexpectedly which checks did, and where the whole story is. */
async function explained(output: string, out: string): Promise<string> {
  if (!output.includes('unexpected failure: ')) return output
  const summary = (await readFile(join(out, 'summary.tsv'), 'utf8')).split('\n').map((line) => line.split('\t'))
  return output.replaceAll(/^unexpected failure: (.*)@(.*)$/gm, (line, name: string, version: string) => {
    const checks = summary.find(([row]) => row === `${name}@${version}`)?.at(-1)
    return `${line}\n  ${checks || 'a time-out, or an exit code'}\n  ${relative('.', join(out, version, name, 'runner.log'))}`
  })
}

process.exitCode = await main()

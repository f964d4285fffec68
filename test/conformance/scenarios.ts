import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Suite } from './install.js'

/** A scenario at one protocol revision. */
export interface Scenario {
  readonly name: string
  readonly version: string
  /** The suite runs extensions at its own choice of revision unless it is made to. */
  readonly force: boolean
}

/** What the suite saw and how it judged. */
export interface Judged extends Scenario {
  readonly passed: boolean
  readonly checks: readonly Check[]
}

export interface Check {
  readonly id: string
  readonly status: string
}

const TIMEOUT_MS = 30_000
const VERSIONS = ['2025-03-26', '2025-11-25', '2026-07-28']
const EXTENSION_VERSIONS = ['2025-11-25', '2026-07-28']
const shim = fileURLToPath(new URL('loopback.cjs', import.meta.url))

/** Every auth scenario at every revision it applies to: 53 rows. */
export async function listScenarios({ node, entry }: Suite, only: RegExp): Promise<readonly Scenario[]> {
  const { stdout } = await promisify(execFile)(node, ['--require', shim, entry, 'list', '--client'])
  return [...stdout.matchAll(/^ *- (auth\/\S+) \[(.*)\]$/gm)].flatMap(([, name = '', listed = '']) => {
    if (!only.test(name)) return []
    const force = listed === 'extension'
    const versions = force ? EXTENSION_VERSIONS : VERSIONS.filter((version) => listed.split(',').includes(version))
    return versions.map((version) => ({ name, version, force }))
  })
}

/**
 * Runs the client command against one scenario, into `folder`.
 *
 * Strict: passed is what the suite itself passes by its exit code, which is no FAILURE, no WARNING, no time-out, and an exit
 * code of 0 from the client unless the scenario allows another; and something was checked.
 */
export async function runScenario(
  { node, entry }: Suite,
  scenario: Scenario,
  command: string,
  folder: string,
): Promise<Judged> {
  await mkdir(folder, { recursive: true })
  const log = await open(join(folder, 'runner.log'), 'w')
  const { name, version, force } = scenario
  const child = spawn(
    node,
    [
      ...['--require', shim, entry, 'client', '--command', command, '--scenario', name],
      ...['--spec-version', version, ...(force ? ['--force'] : [])],
      ...['--timeout', String(TIMEOUT_MS), '-o', join(folder, 'raw')],
    ],
    // It waits for a client that outlives its time limit and holds the pipes.
    { stdio: ['ignore', log.fd, log.fd], timeout: TIMEOUT_MS + 20_000, killSignal: 'SIGKILL' },
  )
  const [code] = await once(child, 'exit')
  await log.close()
  const checks = await readChecks(join(folder, 'raw'))
  return { ...scenario, checks, passed: code === 0 && checks.length > 0 }
}

async function readChecks(folder: string): Promise<readonly Check[]> {
  const files = await readdir(folder, { recursive: true }).catch(() => [])
  const file = files.find((path) => path.endsWith('checks.json'))
  return file === undefined ? [] : JSON.parse(await readFile(join(folder, file), 'utf8'))
}

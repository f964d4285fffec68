import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Starts a fixture in a process of its own. */
export function startFixture(
  name: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcessWithoutNullStreams {
  const file = fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url))
  return spawn(process.execPath, ['--import', 'tsx', file, ...args], { cwd: ROOT, env, stdio: 'pipe' })
}

/** Runs a fixture to its end: what it printed, and how long after printing it ended. */
export async function runFixture(
  name: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly printed: string; readonly code: number | null; readonly lingeredMs: number }> {
  const child = startFixture(name, args, env)
  let printed = ''
  let complaint = ''
  let at = 0
  child.stdout.on('data', (chunk) => {
    printed += chunk
    at = performance.now()
  })
  child.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  const [code] = await once(child, 'exit')
  return { printed: printed.trim() || complaint, code, lingeredMs: performance.now() - at }
}

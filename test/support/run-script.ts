import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

/** What became of a process. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a TypeScript file of the repository to its end. */
export async function run(
  file: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], { cwd: ROOT, env })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

/** Runs a TypeScript file in a process of its own, to its end, and returns the JSON that it printed. */
export async function runScript<T>(file: URL, ...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await run(fileURLToPath(file), args)
  if (code !== 0) throw new Error(`${file.pathname} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Runs a program in a Node of its own, so that neither our loader nor an earlier measurement is in what it finds.
 *
 * @returns what it printed, which is JSON
 */
export async function child<T>(
  path: string,
  options: { flags?: readonly string[]; args?: readonly string[]; cwd?: string } = {},
): Promise<T> {
  const { flags = [], args = [], cwd } = options
  // A flag of the parent's, tsx's own among them, is nothing that a host would run with.
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout } = await run(process.execPath, [...flags, path, ...args], { cwd, env, maxBuffer: 64e6 })
  return JSON.parse(stdout)
}

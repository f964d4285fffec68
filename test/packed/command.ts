import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a command to its end.
 *
 * @param onLine - is told each line of its standard output when it comes
 */
export async function command(
  file: string,
  args: readonly string[],
  options: {
    readonly cwd: string
    readonly env?: NodeJS.ProcessEnv
    readonly onLine?: (line: string) => void
  },
): Promise<Ended> {
  const { cwd, env = process.env, onLine } = options
  // Windows starts the tools of node_modules/.bin by its shell only; nothing in the arguments needs quoting.
  const shell = process.platform === 'win32' && file !== process.execPath
  const child = spawn(file, args, { cwd, env, shell, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout += `${line}\n`
    onLine?.(line)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

/** As `command`, for one that must end well. @returns its standard output */
export async function succeeds(file: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await command(file, args, { cwd })
  if (code !== 0) throw new Error(`${[file, ...args].join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return stdout
}

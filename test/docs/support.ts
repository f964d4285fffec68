import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

/** @param path - from the root of the repository */
export const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8')

/** The fenced blocks of a Markdown text, without their fences. */
export const blocks = (markdown: string, language: string): readonly string[] =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text)

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

/** An environment without any browser. */
export function withoutBrowser(): NodeJS.ProcessEnv {
  const { DISPLAY: _, WAYLAND_DISPLAY: __, BROWSER: ___, ...env } = process.env
  return env
}

/** An environment whose default browser is the scripted person. */
export async function scriptedBrowser(): Promise<AsyncDisposable & { readonly env: NodeJS.ProcessEnv }> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-browser-'))
  const browser = join(folder, 'browser')
  const person = fileURLToPath(new URL('fixtures/person.ts', import.meta.url))
  await writeFile(browser, `#!/bin/sh\nexec '${process.execPath}' --import tsx '${person}' "$1"\n`)
  await chmod(browser, 0o755)
  return {
    env: { ...withoutBrowser(), BROWSER: browser },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../support/run-script.js'

export { type Ended, ROOT, run } from '../support/run-script.js'

/** @param path - from the root of the repository */
export const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8')

/** The fenced blocks of a Markdown text, without their fences. */
export const blocks = (markdown: string, language: string): readonly string[] =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text)

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

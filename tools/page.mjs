// What the scripts that generate a page of docs/ share.
import { readFile, writeFile } from 'node:fs/promises'

const cell = (text) => text.replaceAll('|', '\\|')

/** One row of a Markdown table. */
export const row = (...cells) => `| ${cells.map(cell).join(' | ')} |`

/** A Markdown table of rows that are made already. */
export const table = (head, rows) => [row(...head), row(...head.map(() => '---')), ...rows].join('\n')

/** Writes docs/NAME.md. With `--check` it writes nothing, and fails where the file is stale. */
export async function publish(name, text) {
  const page = new URL(`../docs/${name}.md`, import.meta.url)
  if (!process.argv.includes('--check')) return writeFile(page, text)
  if ((await readFile(page, 'utf8').catch(() => '')) === text) return
  console.error(`docs/${name}.md is stale: run npx tsx tools/docs-${name}.mjs`)
  process.exitCode = 1
}

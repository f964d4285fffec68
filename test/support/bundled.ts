import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const NODE_PACKAGE = new URL('../../packages/node/', import.meta.url)
const made = new Map<string, string>()

/** Makes one file of a TypeScript program, because processes that are started by the dozen must start fast. */
export function bundled(program: URL): string {
  const before = made.get(program.href)
  if (before !== undefined) return before
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', NODE_PACKAGE), 'utf8'))
  // Beside the package, so that its native parts are found from there.
  const folder = fileURLToPath(new URL('node_modules/.cache/test-programs/', NODE_PACKAGE))
  const outfile = `${folder}${basename(program.pathname, '.ts')}-${process.pid}.mjs`
  buildSync({
    entryPoints: [fileURLToPath(program)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: Object.keys(dependencies).filter((name) => !name.startsWith('@countersign/')),
  })
  made.set(program.href, outfile)
  return outfile
}

// Builds the packages into their dist: `node tools/build.mjs [package ...]`, all of them by default. TypeScript checks and
// emits the declarations; the JavaScript of each package is one file, because Node takes longer to find ninety small modules
// than to run them.
import { execFileSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = new URL('../', import.meta.url)
const at = (path) => fileURLToPath(new URL(path, root))

const named = process.argv.slice(2)
const packages = named.length > 0 ? named : ['core', 'node', 'browser']

for (const name of packages) await rm(at(`packages/${name}/dist`), { recursive: true, force: true })
execFileSync(at('node_modules/.bin/tsc'), ['-b', ...packages.map((name) => at(`packages/${name}`))], {
  stdio: 'inherit',
})
for (const name of packages) {
  await build({
    entryPoints: [at(`packages/${name}/src/index.ts`)],
    outfile: at(`packages/${name}/dist/index.js`),
    bundle: true,
    // Dependencies stay imports: a host has one core, whichever package it comes through.
    packages: 'external',
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    sourcemap: true,
    logLevel: 'warning',
  })
}

// Everything that can be said about the code without running it, side by side: `pnpm check`.
import { spawn } from 'node:child_process'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'

const coloured = process.stdout.isTTY && !process.env.NO_COLOR
const checks = [
  ['types', 'tsc', '-b'],
  ['lint, format', 'biome', 'ci', '--error-on-warnings', coloured ? '--colors=force' : '--colors=off', '.'],
  ['boundaries', 'vitest', 'run', '--reporter=dot', 'test/boundaries.test.ts'],
  ['unused code', 'knip'],
]

const cwd = fileURLToPath(new URL('..', import.meta.url))
const bin = fileURLToPath(new URL('../node_modules/.bin', import.meta.url))
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
if (coloured) env.FORCE_COLOR ??= '1'
else env.NO_COLOR = '1'

/** Runs a tool to its end and keeps what it says. */
const run = ([name, tool, ...args]) =>
  new Promise((resolve) => {
    const began = performance.now()
    let output = ''
    const keep = (text) => {
      output += text
    }
    const end = (passed) =>
      resolve({ name, passed, output, command: [tool, ...args].join(' '), seconds: (performance.now() - began) / 1000 })
    // Windows starts the tools of node_modules/.bin by its shell only; nothing in the arguments needs quoting.
    const child = spawn(tool, args, {
      cwd,
      env,
      shell: process.platform === 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keep)
    child.on('error', (error) => {
      keep(error.message)
      end(false)
    })
    child.on('close', (code) => end(code === 0))
  })

const running = checks.map(run)
const results = []
for (const each of running) {
  const result = await each
  results.push(result)
  console.log(`${result.passed ? 'pass' : 'FAIL'}  ${result.name.padEnd(12)}  ${result.seconds.toFixed(1)} s`)
}
const failed = results.filter(({ passed }) => !passed)
for (const { command, output } of failed) console.log(`\n--- ${command}\n${output.trimEnd()}`)
process.exitCode = failed.length === 0 ? 0 : 1

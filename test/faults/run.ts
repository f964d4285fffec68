// `pnpm test:faults [file ...]`: every proof at full length, one file after the other so that none slows another down, and
// at the end one line for each proof, with its figures.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { figuresIn } from '../support/figures.js'
import { ROOT } from '../support/run-script.js'

const named = process.argv.slice(2)
const where = named.length > 0 ? named : ['test/worlds', 'test/faults']
const directory = await mkdtemp(join(tmpdir(), 'countersign-faults-'))
const figures = join(directory, 'figures')
const began = performance.now()
try {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [vitest, 'run', '--no-file-parallelism', ...where], {
    cwd: ROOT,
    env: { ...process.env, FAULTS: 'full', FAULTS_FIGURES: figures },
    stdio: 'inherit',
  })
  const [code] = await once(child, 'exit')
  const minutes = ((performance.now() - began) / 60_000).toFixed(1)
  const lines = figuresIn(figures)
  process.stdout.write(`${lines.join('\n')}\n\n${lines.length} proofs, ${minutes} minutes\n`)
  process.exitCode = code === 0 ? 0 : 1
} finally {
  await rm(directory, { recursive: true, force: true })
}

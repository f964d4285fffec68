import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { figure, figuresIn, full, rounds } from './figures.js'

let directory: string | undefined
afterEach(async () => {
  if (directory !== undefined) await rm(directory, { recursive: true, force: true })
})

it('gathers the lines of all proofs, sorted', async () => {
  directory = await mkdtemp(join(tmpdir(), 'countersign-'))
  const file = join(directory, 'figures')
  vi.stubEnv('FAULTS_FIGURES', file)
  expect(figuresIn(file)).toEqual([])
  figure('kill -9', '200 rounds')
  figure('chaos', '2,000 refreshes')
  expect(figuresIn(file)).toEqual(['chaos: 2,000 refreshes', 'kill -9: 200 rounds'])
})

it('tells a full run from a short share', () => {
  expect(rounds(200, 10)).toBe(full ? 200 : 10)
})

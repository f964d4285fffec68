import { expect, it } from 'vitest'
import { run } from './support.js'

it('docs/errors.md has every code, diagnostic and event of the sources', async () => {
  expect(await run('tools/docs-errors.mjs', ['--check'])).toEqual({ code: 0, stdout: '', stderr: '' })
})

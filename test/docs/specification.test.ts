import { expect, it } from 'vitest'
import { run } from './support.js'

it('docs/specification.md has every row of the register', async () => {
  expect(await run('tools/docs-specification.mjs', ['--check'])).toEqual({ code: 0, stdout: '', stderr: '' })
})

import { expect, it } from 'vitest'
import { portableFlow } from './support/portable.js'

it('most suites of the flow run in pages too: those that need no socket and no process of Node', () => {
  expect(portableFlow.length).toBeGreaterThan(30)
  expect(portableFlow).toEqual(
    expect.arrayContaining(['test/flow/interaction.test.ts', 'test/flow/refresh/races.test.ts']),
  )
  expect(portableFlow).not.toContain('test/flow/two-processes.test.ts')
})

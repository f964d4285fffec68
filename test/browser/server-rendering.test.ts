import { expect, it } from 'vitest'
import { runScript } from '../support/run-script.js'

it('a server that renders a page: nothing of a page is used, nothing is thrown or left open, and the snapshot is restoring', async () => {
  const restoring = { status: 'restoring', refreshing: false }
  const seen = await runScript(new URL('fixtures/rendering.ts', import.meta.url))
  expect(seen).toEqual({
    // Whether a store can tell of changes is known when it is made.
    looked: ['BroadcastChannel'],
    snapshots: [
      [restoring, restoring, true],
      [restoring, restoring, true],
    ],
  })
})

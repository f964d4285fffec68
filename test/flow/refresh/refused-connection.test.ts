import { expect, it } from 'vitest'
import { refreshing } from '../../support/refreshing.js'

const world = refreshing()

// Node says that nothing was sent. A page is not told, and has to take it for a request without an answer.
it('a connection that is refused: nothing was spent, and the next refresh needs no caution', async () => {
  const login = await world.login()
  await world.server.close()
  await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({
    code: 'server_unavailable',
    received: expect.stringContaining('ECONNREFUSED'),
  })
  expect(await login.record()).not.toHaveProperty('unanswered')
})

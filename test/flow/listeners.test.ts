import { createConnector } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
const broken = (): never => {
  throw new Error('a defect of the host')
}

describe('a host that throws when it is told something', () => {
  it.each(['the log', 'a listener of the snapshot'])(
    '%s: the login, the refresh and the sign-out go on',
    async (which) => {
      const server = open(await scriptedAuthorization())
      const log = which === 'the log' ? broken : () => undefined
      const connection = open(createConnector({ userAgent: scriptedAgent(), log })).connect(server.url)
      if (which !== 'the log') connection.subscribe(broken)
      expect((await ping(connection)).status).toBe(200)
      await connection.token({ refresh: true })
      await connection.signOut()
      // Nothing was sent twice: a refresh token that comes back ends a login.
      const paths = server.requests.map(({ path }) => path).filter((path) => path === '/token' || path === '/revoke')
      expect(paths).toEqual(['/token', '/token', '/revoke', '/revoke'])
    },
  )

  it('a listener that throws does not keep the others from being told', async () => {
    const server = open(await scriptedAuthorization())
    const connection = open(createConnector({ userAgent: scriptedAgent() })).connect(server.url)
    let told = 0
    connection.subscribe(broken)
    connection.subscribe(() => told++)
    await connection.authorize()
    expect(told).toBeGreaterThan(1)
  })
})

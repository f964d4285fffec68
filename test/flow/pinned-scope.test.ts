import { type ConnectorOptions, createConnector } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { followRedirect, scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

/** A connection, and the scope of each login that was opened. */
function connect(options: ConnectorOptions = {}) {
  const asked: (string | null)[] = []
  const agent = scriptedAgent({
    browser: async (url) => {
      asked.push(new URL(url).searchParams.get('scope'))
      return followRedirect(url)
    },
  })
  return { connection: open(createConnector({ userAgent: agent, ...options })).connect(server.url), asked }
}

/** A server whose 401 asks for a scope. */
const challenges = (scope: string): void => {
  server.routes.mcp = (_request, usual) => {
    const answer = usual()
    if (answer.status !== 401) return answer
    return { ...answer, headers: { 'www-authenticate': `${answer.headers?.['www-authenticate']}, scope="${scope}"` } }
  }
}

/** A server for which no token is ever enough. */
const refusesAll = (scope: string): void => {
  server.routes.mcp = ({ headers }, usual) =>
    headers.authorization === undefined
      ? usual()
      : { status: 403, headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` } }
}

describe('a scope that the host has pinned', () => {
  it("is not widened by a 401's challenge, whatever opens the login", async () => {
    challenges('notes:read admin')
    const { connection, asked } = connect({ scope: 'notes:read' })
    expect((await ping(connection)).status).toBe(200)
    await connection.authorize({ force: true })
    await connection.signOut()
    await connection.authorize()
    expect(asked).toEqual(['notes:read', 'notes:read', 'notes:read'])
  })

  it('is not widened by a step-up: no page, and the error says what is missing', async () => {
    const { connection, asked } = connect({ scope: 'notes:read', onStepUp: () => true })
    expect((await ping(connection)).status).toBe(200)
    refusesAll('notes:write')
    for (let time = 0; time < 2; time++) {
      const error = await ping(connection).catch((thrown) => thrown)
      expect(error).toMatchObject({ code: 'insufficient_scope', expected: 'scope notes:write' })
    }
    expect(asked).toEqual(['notes:read'])
  })

  it('is widened by the host itself, for that login and those after it', async () => {
    const { connection, asked } = connect({ scope: 'notes:read' })
    await connection.authorize({ scope: 'notes:write' })
    await connection.authorize({ force: true })
    expect(asked).toEqual(['notes:read notes:write', 'notes:read notes:write'])
  })
})

describe("the scope of a server's challenge", () => {
  it('of a 401 is what the next login asks for', async () => {
    challenges('notes:read notes:write')
    const { connection, asked } = connect()
    await ping(connection)
    expect(asked).toEqual(['notes:read notes:write'])
  })

  it('of a 403 is that of a step-up, and of no other login', async () => {
    server.routes.resourceMetadata = {
      json: { resource: server.url, authorization_servers: [server.issuer], scopes_supported: ['notes:read'] },
    }
    const { connection, asked } = connect({ onStepUp: () => false })
    await ping(connection)
    refusesAll('notes:admin')
    await expect(ping(connection)).rejects.toMatchObject({ code: 'insufficient_scope' })
    delete server.routes.mcp
    await connection.authorize({ force: true })
    await connection.signOut()
    await connection.authorize()
    expect(asked).toEqual(['notes:read', 'notes:read', 'notes:read'])
  })

  it('is forgotten with the login: after a sign-out another person is asked for what the resource lists', async () => {
    challenges('notes:read notes:write')
    const { connection, asked } = connect()
    await ping(connection)
    await connection.signOut()
    await connection.authorize()
    expect(asked).toEqual(['notes:read notes:write', null])
  })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { scopesAskedOf } from '../support/issuers.js'
import { ping } from '../support/mcp-client.js'
import { field, withMembers } from './support.js'

const at = field()
const resourceLists = (scopes_supported: unknown): void => {
  at.server.routes.resourceMetadata = withMembers({ scopes_supported })
}
const serverLists = (...scopes_supported: readonly string[]): void => {
  at.server.routes.serverMetadata = withMembers({ scopes_supported })
}
const challenged = (scope: string): void =>
  at.challenge(
    `Bearer scope="${scope}", resource_metadata="${at.server.origin}/.well-known/oauth-protected-resource/mcp"`,
  )
/** The scope that the login of a request asks for. */
const asked = async (options?: Parameters<typeof at.connect>[0]): Promise<string | null | undefined> => {
  expect((await ping(at.connect(options).connection)).status).toBe(200)
  return scopesAskedOf(at.server).at(-1)
}

describe('the scope of a login', () => {
  it.each([undefined, [], null])(
    'is left out where the resource lists %j, whatever other servers like (B16)',
    async (s) => {
      resourceLists(s)
      expect(await asked()).toBeNull()
    },
  )

  it("is the challenge's, although the resource lists others (B17, E04)", async () => {
    challenged('notes:admin')
    resourceLists(['notes:read', 'offline_access'])
    expect(await asked()).toBe('notes:admin')
  })

  it('is what the resource lists, where the challenge says nothing (E04, L25)', async () => {
    resourceLists(['notes:read', 'notes:write'])
    expect(await asked()).toBe('notes:read notes:write')
  })

  it("is never the authorization server's catalogue (E04, L23)", async () => {
    serverLists('admin', 'sudo', 'openid', 'email', 'profile')
    expect(await asked()).toBeNull()
  })

  it('is what the host has pinned, before all of them (E04)', async () => {
    challenged('notes:admin')
    resourceLists(['notes:read'])
    expect(await asked({ scope: 'notes:write' })).toBe('notes:write')
  })
})

describe('offline_access', () => {
  beforeEach(() => challenged('notes:read'))

  it('is not asked of a server that does not list it (E02, L24)', async () => {
    serverLists('notes:read')
    expect(await asked()).toBe('notes:read')
  })

  it('is asked of one that does', async () => {
    serverLists('notes:read', 'offline_access')
    expect(await asked()).toBe('notes:read offline_access')
  })

  it('is not asked where the host does not want it', async () => {
    serverLists('notes:read', 'offline_access')
    expect(await asked({ offlineAccess: false })).toBe('notes:read')
  })

  it('is not asked of a server that lists it no longer', async () => {
    serverLists('notes:read', 'offline_access')
    const { connection } = at.connect()
    await ping(connection)
    serverLists('notes:read')
    await connection.authorize({ force: true })
    expect(scopesAskedOf(at.server)).toEqual(['notes:read offline_access', 'notes:read'])
  })
})

describe('a server that grants less than was asked', () => {
  beforeEach(() => {
    challenged('notes:read notes:write')
    at.server.routes.token = { json: { access_token: 'narrow', token_type: 'Bearer', scope: 'notes:read' } }
    at.server.accessTokens.add('narrow')
  })

  it('what it granted is recorded, and said (F18)', async () => {
    const { connection, seen } = at.connect()
    expect((await ping(connection)).status).toBe(200)
    expect(connection.getSnapshot()).toMatchObject({ status: 'signed_in', scope: 'notes:read' })
    expect((await connection.token()).scope).toBe('notes:read')
    expect(seen.diagnostics).toMatchObject([
      { code: 'scope_narrowed', expected: 'notes:read notes:write', received: 'notes:read' },
    ])
  })

  it('and refuses for want of the rest: one login, and no more (F18, L27)', async () => {
    const { connection, agent } = at.connect()
    await ping(connection)
    at.server.routes.mcp = {
      status: 403,
      headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="notes:write"' },
    }
    for (let time = 0; time < 3; time++) {
      await expect(ping(connection)).rejects.toMatchObject({
        code: 'insufficient_scope',
        received: 'scope notes:read, asked for: notes:read notes:write',
      })
    }
    expect(agent.begun).toBe(1)
  })
})

describe('a step-up', () => {
  /** A server that wants more for a tool call than for anything else. */
  const wants = (scope: string): void => {
    at.server.routes.mcp = ({ headers, body }, usual) =>
      headers.authorization !== undefined && body.includes('tools/call') && !granted().includes(scope)
        ? { status: 403, headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` } }
        : usual()
  }
  const granted = (): readonly string[] => scopesAskedOf(at.server).at(-1)?.split(' ') ?? []
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'write', text: 'ä' } })
  const call: RequestInit = { body, headers: { 'content-type': 'application/json', 'mcp-session-id': 's-1' } }

  beforeEach(() => resourceLists(['notes:read']))

  it('asks for what was asked before, and for what the challenge adds (L27)', async () => {
    const { connection } = at.connect()
    await ping(connection)
    wants('notes:write')
    expect((await ping(connection, call)).status).toBe(200)
    expect(scopesAskedOf(at.server)).toEqual(['notes:read', 'notes:read notes:write'])
  })

  it('sends no refresh token: more scope does not come by one (L27)', async () => {
    const { connection } = at.connect()
    await ping(connection)
    wants('notes:write')
    await ping(connection, call)
    const forms = at.server.requests.filter(({ path }) => path === '/token').map((r) => new URLSearchParams(r.body))
    expect(forms.map((form) => form.get('grant_type'))).toEqual(['authorization_code', 'authorization_code'])
  })

  it('makes the very same request again', async () => {
    const { connection } = at.connect()
    await ping(connection)
    wants('notes:write')
    await ping(connection, call)
    const calls = at.server.requests.filter((request) => request.body.includes('tools/call'))
    expect(calls.map(({ method, body: sent, headers }) => [method, sent, headers['mcp-session-id']])).toEqual([
      ['POST', body, 's-1'],
      ['POST', body, 's-1'],
    ])
    const [first, second] = calls.map(({ headers }) => headers.authorization)
    expect(first).not.toBe(second)
  })

  it('keeps what was added, for the logins after it', async () => {
    const { connection } = at.connect()
    await ping(connection)
    wants('notes:write')
    await ping(connection, call)
    await connection.authorize({ force: true })
    expect(scopesAskedOf(at.server).at(-1)).toBe('notes:read notes:write')
  })

  it('asks nobody twice for what the host refused, until it calls authorize()', async () => {
    const asked: string[] = []
    const onStepUp = ({ scope }: { readonly scope: string }): boolean => {
      asked.push(scope)
      return asked.length > 1
    }
    const { connection, agent } = at.connect({ onStepUp })
    await ping(connection)
    wants('notes:write')
    for (let time = 0; time < 2; time++) {
      await expect(ping(connection, call)).rejects.toMatchObject({ code: 'insufficient_scope' })
    }
    expect([asked.length, agent.begun]).toEqual([1, 1])
    await connection.authorize({ force: true })
    expect((await ping(connection, call)).status).toBe(200)
    expect([asked.length, agent.begun]).toEqual([2, 3])
  })

  it('of a challenge without scope is none: the error says how to ask', async () => {
    const { connection, agent } = at.connect()
    await ping(connection)
    at.server.routes.mcp = { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' } }
    await expect(ping(connection, call)).rejects.toMatchObject({
      code: 'insufficient_scope',
      hint: expect.stringContaining('authorize({ scope })'),
    })
    expect(agent.begun).toBe(1)
  })
})

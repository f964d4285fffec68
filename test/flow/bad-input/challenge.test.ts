import { beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { connect } from '../../support/bad-input.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

/** Refuses what has no good token with this header, or with none. */
function challenging(header: string | readonly string[] | undefined, status = 401): void {
  server.routes.mcp = (_request, usual): Answer => {
    const answer = usual()
    if (answer.status !== 401) return answer
    return { status, ...(header !== undefined && { headers: { 'www-authenticate': [header].flat() } }) }
  }
}

describe('a 401 whose WWW-Authenticate is missing or broken', () => {
  it.each<[string, string | readonly string[] | undefined, readonly string[]]>([
    ['none', undefined, ['challenge_missing']],
    ['another scheme', 'Basic realm="x"', ['challenge_missing']],
    ['Bearer alone', 'Bearer', []],
    ['no text that means anything', '=,"', ['challenge_invalid', 'challenge_missing']],
    ['a quote that is left open', 'Bearer realm="x, scope="read"', ['challenge_invalid']],
    ['a relative resource_metadata', 'Bearer resource_metadata="/x"', ['resource_metadata_url_invalid']],
    ['a resource_metadata that is no URL', 'Bearer resource_metadata="::"', ['resource_metadata_url_invalid']],
    ['a script as resource_metadata', 'Bearer resource_metadata="javascript:0"', ['resource_metadata_url_invalid']],
    ['a parameter twice', 'Bearer scope="read", scope="write"', ['challenge_parameter_repeated']],
    ['several headers', ['Negotiate', 'Bearer', 'Basic realm="x"'], []],
  ])(
    '%s: the well-known places are asked, with a diagnostic',
    { tags: ['mcp-discovery/parse-challenge', 'mcp-discovery/well-known-order'] },
    async (_name, header, diagnostics) => {
      challenging(header)
      const { connection, seen } = connect(server)
      expect((await ping(connection)).status).toBe(200)
      expect([...new Set(seen.diagnostics.map(({ code }) => code))].sort()).toEqual(diagnostics)
      for (const { url } of seen.diagnostics) expect(url).toBe(server.url)
    },
  )

  it('resource_metadata on another origin: nothing is asked there', {
    tags: ['mcp-practices/ssrf', 'mcp-practices/sanitize-urls'],
  }, async () => {
    const elsewhere = open(await scriptedAuthorization())
    challenging(`Bearer resource_metadata="${elsewhere.origin}/.well-known/oauth-protected-resource/mcp"`)
    const { connection, agent, store } = connect(server)
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'url_not_allowed',
      step: 'discover',
      url: `${elsewhere.origin}/.well-known/oauth-protected-resource/mcp`,
      expected: expect.stringContaining(server.origin),
      action: 'contact_operator',
    })
    expect(elsewhere.requests).toEqual([])
    expect(await store.keys('')).toEqual([])
    expect(agent.ends).toMatchObject([{ ok: false }])
  })

  it('its scope is asked for', { tags: ['mcp/challenge-scope', 'mcp/scope-order'] }, async () => {
    challenging('Bearer scope="notes:read"')
    const { connection } = connect(server)
    await ping(connection)
    const authorize = server.requests.find(({ path }) => path === '/authorize')
    expect(authorize?.query.get('scope')).toBe('notes:read')
  })
})

describe('a server that goes on refusing', () => {
  it('401 after a new login: one page, and an error that says what the server said', {
    tags: 'mcp/retry-limits',
  }, async () => {
    server.routes.mcp = {
      status: 401,
      headers: { 'www-authenticate': 'Bearer error="invalid_token", error_description="wrong audience"' },
    }
    const { connection, agent } = connect(server)
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'credentials_rejected',
      step: 'authorize',
      url: server.url,
      expected: expect.stringContaining(server.url),
      received: expect.stringMatching(/^HTTP 401 invalid_token: wrong audience/),
      action: 'contact_operator',
    })
    expect(agent.begun).toBe(1)
    expect(server.requests.filter(({ path }) => path === '/mcp')).toHaveLength(2)
    expect(server.requests.filter(({ path }) => path === '/token')).toHaveLength(1)
  })

  it('401 with a token that was good: one refresh, one page, and then the error', async () => {
    const { connection, agent } = connect(server)
    await connection.authorize()
    server.clearRequests()
    server.routes.mcp = { status: 401 }
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'credentials_rejected',
      received: expect.stringMatching(/^HTTP 401/),
    })
    expect(agent.begun).toBe(2)
    const grants = server.requests.map(({ body }) => new URLSearchParams(body).get('grant_type'))
    expect(grants.filter((grant) => grant !== null)).toEqual(['refresh_token', 'authorization_code'])
    expect(server.requests.filter(({ path }) => path === '/mcp')).toHaveLength(3)
  })

  it.each([403, 404, 500])('%i is not about the token: the answer goes to the client', async (status) => {
    const { connection, agent } = connect(server)
    await connection.authorize()
    server.routes.mcp = { status, body: 'as it is' }
    const response = await ping(connection)
    expect([response.status, await response.text()]).toEqual([status, 'as it is'])
    expect(agent.begun).toBe(1)
  })
})

describe('a request that cannot be sent twice', () => {
  const stream = (): RequestInit =>
    ({ method: 'POST', body: new Blob(['{}']).stream(), duplex: 'half' }) as unknown as RequestInit

  it('goes through with a token that is good', async () => {
    const { connection } = connect(server)
    await connection.authorize()
    expect((await connection.fetch(server.url, stream())).status).toBe(202)
  })

  it('that is refused: what can be done for it is done, and then it is for the caller to send it again', async () => {
    const { connection, agent } = connect(server)
    await expect(connection.fetch(server.url, stream())).rejects.toMatchObject({
      code: 'request_not_replayable',
      step: 'authorize',
      url: server.url,
      hint: expect.stringContaining('body'),
    })
    expect(agent.begun).toBe(1)
    expect((await connection.fetch(server.url, stream())).status).toBe(202)
  })
})

import { type ConnectorOptions, CountersignError, createConnector } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { person, type ScriptedOverride, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { realServers } from '../support/real-servers.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()

/** The error that a request ends with. */
async function refusalOf(connection: Parameters<typeof ping>[0]): Promise<CountersignError> {
  const error = await ping(connection).catch((thrown: unknown) => thrown)
  if (CountersignError.is(error)) return error
  throw new Error('the request was not refused', { cause: error })
}

describe('a new token that a real server refuses too', () => {
  const servers = realServers({})

  function connect(options: ConnectorOptions = {}) {
    const browser = async (url: string) => new URL(await person().authorizationResponse(url)).searchParams
    const agent = scriptedAgent({ browser })
    const connector = open(createConnector({ userAgent: agent, ...options }))
    return { connection: connector.connect(servers.mcp.url), agent }
  }

  it('because it is for somebody else: the error names its aud, iss and scope beside what was asked', async () => {
    const other = 'http://127.0.0.1:1/other'
    const { connection, agent } = connect({ compatibility: { resource: { value: other } }, scope: 'notes:read' })
    const error = await refusalOf(connection)
    const { issuer } = servers.as
    expect(error).toMatchObject({ code: 'credentials_rejected', step: 'authorize', action: 'contact_operator' })
    expect(error.message).toBe(
      `authorize: credentials rejected (${servers.mcp.url}). ` +
        `Expected aud ${other}, iss ${issuer}, scope notes:read. ` +
        `Received HTTP 401 invalid_token: unexpected 'aud' claim value for a token with ` +
        `aud ${other}, iss ${issuer}, scope notes:read. ` +
        'Compare what the token is for with what was asked.',
    )
    expect(agent.begun).toBe(1)
    expect(servers.grants).toEqual(['authorization_code'])
    // The token itself is in nothing that may be written down.
    const { accessToken } = await connection.token()
    for (const part of accessToken.split('.')) expect(JSON.stringify(error) + error.stack).not.toContain(part)
  })

  it('although it is for this one: what it says equals what was asked, so the fault is elsewhere', async () => {
    const { connection, agent } = connect({ scope: 'notes:read', offlineAccess: false })
    servers.mcp.rejects = () => true
    const { expected, received } = await refusalOf(connection)
    const asked = `aud ${servers.mcp.url}, iss ${servers.as.issuer}, scope notes:read`
    expect(expected).toBe(asked)
    expect(received).toBe(`HTTP 401 invalid_token: the token was revoked for a token with ${asked}`)
    expect(agent.begun).toBe(1)
  })
})

describe('what a refused token says of itself', () => {
  const encoded = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')

  /** What a connection receives whose server issues this token and refuses it. */
  async function received(accessToken: string, refused: ScriptedOverride = { status: 401 }): Promise<string> {
    const server = open(
      await scriptedAuthorization({
        routes: {
          mcp: (request, usual) => {
            if (request.headers.authorization === undefined) return usual()
            return typeof refused === 'function' ? refused(request, usual) : refused
          },
          token: { json: { access_token: accessToken, token_type: 'Bearer', expires_in: 300 } },
        },
      }),
    )
    const connection = open(createConnector({ userAgent: scriptedAgent() })).connect(server.url)
    const error = await refusalOf(connection)
    expect(error.code).toBe('credentials_rejected')
    expect(error.expected).toBe(`aud ${server.url}, iss ${server.issuer}, scope (none)`)
    expect(server.requests.filter(({ path }) => path === '/mcp')).toHaveLength(2)
    return error.received ?? ''
  }

  const jwt = (claims: unknown): string => `${encoded({ alg: 'none', typ: 'at+jwt' })}.${encoded(claims)}.c2lnbmF0dXJl`

  it.each([
    ['several audiences', { aud: ['https://a.example', 'https://b.example'], iss: 'https://as.example', scope: 'x y' }],
    ['scp for scope', { aud: 'https://a.example https://b.example', iss: 'https://as.example', scp: ['x', 'y'] }],
  ])('%s', async (_, claims) => {
    expect(await received(jwt(claims))).toBe(
      'HTTP 401 for a token with aud https://a.example https://b.example, iss https://as.example, scope x y',
    )
  })

  it.each([
    ['no claims', {}],
    ['null', null],
    ['no object', 'text'],
  ])('%s', async (_, claims) => {
    expect(await received(jwt(claims))).toBe('HTTP 401 for a token with aud (none), iss (none), scope (none)')
  })

  it('claims that are neither texts nor numbers are named by their kind', async () => {
    const claims = { aud: { toString: 1 }, iss: [['a'], { toString: 1 }, 7] }
    expect(await received(jwt(claims))).toBe('HTTP 401 for a token with aud object, iss array object 7, scope (none)')
  })

  it.each(['an-opaque-token', 'three.parts.only', 'a.b', `${encoded({})}..x`])('%s: it is opaque', async (token) => {
    expect(await received(token)).toBe('HTTP 401 for an opaque token')
  })

  it('a terminal obeys none of it', async () => {
    expect(await received(jwt({ aud: 'a\u001b[31mb', iss: 'c\nd' }))).toBe(
      'HTTP 401 for a token with aud a\\u001b[31mb, iss c\\u000ad, scope (none)',
    )
  })

  it('a server that repeats the token in its challenge does not bring it into the error', async () => {
    const token = jwt({ aud: 'https://a.example' })
    const challenge = `Bearer error="invalid_token", error_description="${token} is not for me"`
    const shown = await received(token, { status: 401, headers: { 'www-authenticate': challenge } })
    expect(shown).not.toContain(token)
    expect(shown).toMatch(/^HTTP 401 invalid_token: … is not for me for a token with aud https:\/\/a\.example, /)
  })
})

describe('403 insufficient_scope after a sign-in', { tags: ['mcp/retry-limits', 'mcp/track-step-ups'] }, () => {
  /** Lets nobody in who comes without a token, and nobody for want of scope who comes with one. */
  async function connect(challenged: string, granted: string) {
    const challenge = (error: string): Record<string, string> => ({
      'www-authenticate': `Bearer ${error}scope="${challenged}"`,
    })
    const server = open(
      await scriptedAuthorization({
        routes: {
          mcp: ({ headers }) =>
            headers.authorization === undefined
              ? { status: 401, headers: challenge('') }
              : { status: 403, headers: challenge('error="insufficient_scope", ') },
          token: { json: { access_token: 'narrow', token_type: 'Bearer', expires_in: 300, scope: granted } },
        },
      }),
    )
    const agent = scriptedAgent()
    const connection = open(createConnector({ userAgent: agent })).connect(server.url)
    return { connection, agent, url: server.url, server }
  }

  it('for what was asked for already: an error that says who has to act, after one page', async () => {
    const { connection, agent, url, server } = await connect('notes:read notes:write', 'notes:read')
    const error = await refusalOf(connection)
    expect(error).toMatchObject({ code: 'insufficient_scope', step: 'authorize', url, action: 'contact_operator' })
    expect(error.expected).toBe('scope notes:read notes:write')
    expect(error.received).toBe('scope notes:read, asked for: notes:read notes:write')
    expect(error.hint).toMatch(/the authorization server grants less than this server wants/)
    expect(agent.begun).toBe(1)

    // Asking again changes nothing, so nobody is asked again.
    expect(await refusalOf(connection)).toMatchObject({ code: 'insufficient_scope' })
    expect(agent.begun).toBe(1)
    expect(server.requests.filter(({ path }) => path === '/token')).toHaveLength(1)
  })

  it('the login is kept: what it is good for still works', async () => {
    const { connection, server } = await connect('notes:write', 'notes:read')
    await refusalOf(connection)
    expect(connection.getSnapshot()).toMatchObject({ status: 'signed_in', scope: 'notes:read' })
    server.routes.mcp = { status: 202 }
    expect((await ping(connection)).status).toBe(202)
  })
})

import { type ConnectorOptions, createConnector, dpop, type LogEvent, memoryStore } from '@countersign/core'
import { decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'
import { demandsProofs, type ProofDemands } from '../../support/proof-demanding.js'
import { scriptedAgent } from '../../support/watched-agent.js'

const open = closing()

async function connect(options: ConnectorOptions = {}, demands: Partial<ProofDemands> = {}) {
  const server = open(await scriptedAuthorization())
  const proofs = demandsProofs(server, demands)
  const events: LogEvent[] = []
  const agent = scriptedAgent()
  const connector = open(createConnector({ userAgent: agent, log: (event) => events.push(event), ...options }))
  const sentTo = (path: string) => server.requests.filter((request) => request.path === path)
  const diagnostics = () => events.flatMap(({ diagnostic }) => diagnostic ?? [])
  return { server, proofs, connector, connection: connector.connect(server.url), agent, sentTo, diagnostics }
}

/** The metadata of a scripted server, with other members. */
const withMembers =
  (members: object) =>
  (_request: unknown, usual: () => { readonly json?: unknown }): { readonly json: unknown } => ({
    json: { ...(usual().json as object), ...members },
  })

describe('whether tokens are bound to a key', () => {
  it.each<[string, 'required' | 'offered' | 'nothing', string]>([
    ['takes none but bound tokens', 'required', 'DPoP'],
    ['takes both', 'offered', 'DPoP'],
    ['does not say that it takes bound tokens, although the authorization server makes them', 'nothing', 'Bearer'],
  ])('by dpop(), at a resource that %s', async (_what, says, tokenType) => {
    const { connection, sentTo } = await connect({ dpop: dpop() }, { says })
    expect((await ping(connection)).status).toBe(200)
    expect(await connection.token()).toMatchObject({ tokenType })
    // A server that has never heard of proofs sees none: a page could not even send the header to it (CORS).
    expect(sentTo('/token').every(({ headers }) => 'dpop' in headers)).toBe(tokenType === 'DPoP')
    expect(sentTo('/authorize').every(({ query }) => query.has('dpop_jkt'))).toBe(tokenType === 'DPoP')
  })

  it('is not asked where the host has switched it off since: a login with bound tokens is made anew', async () => {
    const server = open(await scriptedAuthorization())
    demandsProofs(server, { says: 'offered' })
    const [store, agent] = [memoryStore(), scriptedAgent()]
    const connect = (off?: { readonly interaction: 'explicit' | 'on-demand' }) =>
      open(
        createConnector({
          store,
          userAgent: agent,
          dpop: dpop(),
          servers: { [server.url]: off ? { ...off, dpop: false } : {} },
        }),
      ).connect(server.url)
    await ping(connect())
    const asked = connect({ interaction: 'explicit' })
    const ended = { code: 'interaction_required', interaction: { reason: 'login_ended' } }
    await expect(ping(asked)).rejects.toMatchObject(ended)
    await expect(asked.token()).rejects.toMatchObject(ended)
    const [first, second] = [connect({ interaction: 'on-demand' }), connect({ interaction: 'on-demand' })]
    expect((await ping(first)).status).toBe(200)
    expect(await first.token()).toMatchObject({ tokenType: 'Bearer' })
    expect((await ping(second)).status).toBe(200)
    expect(agent.begun).toBe(2)
  })

  it('opens a login that is asked for, although there is one with bound tokens, where it was switched off', async () => {
    const server = open(await scriptedAuthorization())
    demandsProofs(server, { says: 'offered' })
    const [store, agent] = [memoryStore(), scriptedAgent()]
    await ping(open(createConnector({ store, userAgent: agent, dpop: dpop() })).connect(server.url))
    const connection = open(createConnector({ store, userAgent: agent, dpop: false })).connect(server.url)
    await connection.authorize()
    expect((await ping(connection)).status).toBe(200)
    expect(agent.begun).toBe(2)
  })

  it('is not asked where the host has switched it off for one server', async () => {
    const server = open(await scriptedAuthorization())
    demandsProofs(server, { says: 'offered' })
    const servers = { [server.url]: { dpop: false } as const }
    const connector = open(createConnector({ userAgent: scriptedAgent(), dpop: dpop(), servers }))
    const connection = connector.connect(server.url)
    expect((await ping(connection)).status).toBe(200)
    expect(await connection.token()).toMatchObject({ tokenType: 'Bearer' })
  })

  it.each(['required', 'offered'] as const)('is in the challenge alone too: %s', async (says) => {
    const { server, connection } = await connect({ dpop: dpop() }, { says })
    server.routes.resourceMetadata = withMembers({})
    expect((await ping(connection)).status).toBe(200)
    expect(await connection.token()).toMatchObject({ tokenType: 'DPoP' })
  })

  it('is nothing that a resource offers where the authorization server makes no such tokens', async () => {
    const { server, connection, sentTo } = await connect({ dpop: dpop() }, { says: 'offered' })
    server.routes.serverMetadata = withMembers({})
    expect((await ping(connection)).status).toBe(200)
    expect(await connection.token()).toMatchObject({ tokenType: 'Bearer' })
    expect(sentTo('/token')[0]?.headers).not.toHaveProperty('dpop')
  })

  it('is what both servers can verify, with what they list', async () => {
    const { server, connection, sentTo } = await connect({ dpop: dpop() })
    server.routes.serverMetadata = withMembers({ dpop_signing_alg_values_supported: ['ES256', 'ES512', 'PS256'] })
    server.routes.resourceMetadata = withMembers({ dpop_signing_alg_values_supported: ['PS256', 'EdDSA'] })
    expect((await ping(connection)).status).toBe(200)
    const [{ headers } = { headers: {} }] = sentTo('/token')
    expect(decodeProtectedHeader(Object(headers).dpop)).toMatchObject({ alg: 'PS256', jwk: { kty: 'RSA' } })
  })

  it.each([['required'], ['offered']] as const)('where no algorithm is left, and they are %s', async (says) => {
    const { server, connection } = await connect({ dpop: dpop() }, { says })
    server.routes.serverMetadata = withMembers({ dpop_signing_alg_values_supported: ['ES512'] })
    const answer = ping(connection)
    if (says === 'offered') expect((await answer).status).toBe(200)
    else {
      await expect(answer).rejects.toMatchObject({
        code: 'authorization_server_metadata_invalid',
        expected: expect.stringContaining('ES256'),
        received: expect.stringContaining('ES512'),
      })
    }
  })

  it('is a setting of one server', async () => {
    const { server, connection } = await connect({}, { says: 'offered' })
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
    expect(await connection.token()).toMatchObject({ tokenType: 'Bearer' })
    const servers = { [server.url]: { dpop: dpop() } }
    const connector = open(createConnector({ userAgent: scriptedAgent(), servers }))
    await connector.connect(server.url).authorize()
    expect(await connector.connect(server.url).token()).toMatchObject({ tokenType: 'DPoP' })
  })

  it('by two that are alike is no conflict, by two that differ is one', async () => {
    const { connector, connection } = await connect()
    const { url } = connection
    const held = connector.connect(`${url}?another`, { dpop: dpop() })
    expect(connector.connect(`${url}?another`, { dpop: dpop() })).toBe(held)
    expect(() => connector.connect(`${url}?another`, { dpop: dpop({ required: true }) })).toThrow(/another dpop/)
  })
})

describe('dpop({ required: true })', () => {
  it('takes no endpoint in cleartext for it', { tags: ['rfc9449/https-always'] }, async () => {
    const { server, connection, sentTo } = await connect({ dpop: dpop({ required: true }) })
    const token_endpoint = 'http://as.example/token'
    server.routes.serverMetadata = withMembers({ token_endpoint, dpop_signing_alg_values_supported: ['ES256'] })
    await expect(connection.authorize()).rejects.toMatchObject({ code: 'url_not_allowed', url: token_endpoint })
    expect(sentTo('/register')).toEqual([])
  })

  it('has tokens bound also where nobody asks for it', async () => {
    const { server, connection } = await connect({ dpop: dpop({ required: true }) }, { says: 'nothing' })
    server.routes.serverMetadata = withMembers({})
    await connection.authorize()
    expect(await connection.token()).toMatchObject({ tokenType: 'DPoP' })
  })

  it.each([{}, { says: 'nothing' as const }])(
    'refuses a bearer token, at the login and at a refresh: %j',
    { tags: ['rfc9449/downgraded'] },
    async (demands) => {
      const refused = { code: 'token_response_invalid', expected: 'token_type DPoP', received: '"Bearer"' }
      const { proofs, connection } = await connect({ dpop: dpop({ required: true }) }, { ...demands, issues: 'Bearer' })
      await expect(connection.authorize()).rejects.toMatchObject(refused)
      proofs.issues = 'DPoP'
      await connection.authorize()
      const { accessToken } = await connection.token()
      proofs.issues = 'Bearer'
      await expect(connection.token({ refresh: true })).rejects.toMatchObject({ code: 'refresh_outcome_unknown' })
      expect(await connection.token()).toMatchObject({ accessToken, tokenType: 'DPoP' })
    },
  )
})

describe('a server that answers a proof with a bearer token', () => {
  it('is taken at its word, with a diagnostic', async () => {
    const { connection, sentTo, diagnostics } = await connect({ dpop: dpop() }, { says: 'offered', issues: 'Bearer' })
    expect((await ping(connection)).status).toBe(200)
    expect(await connection.token()).toMatchObject({ tokenType: 'Bearer' })
    expect(diagnostics()).toMatchObject([{ code: 'dpop_declined', expected: 'token_type DPoP' }])
    const last = sentTo('/mcp').at(-1)
    expect(last?.headers.authorization).toMatch(/^Bearer /)
    expect(last?.headers).not.toHaveProperty('dpop')
  })

  it('may change its mind at the next refresh', async () => {
    const { proofs, connection } = await connect({ dpop: dpop() }, { says: 'offered', issues: 'Bearer' })
    await ping(connection)
    proofs.issues = 'DPoP'
    expect(await connection.token({ refresh: true })).toMatchObject({ tokenType: 'DPoP' })
    expect((await ping(connection)).status).toBe(200)
  })
})

describe('without dpop(), a server that takes none but bound tokens', () => {
  const required = {
    code: 'dpop_required',
    action: 'fix_configuration',
    hint: expect.stringContaining('dpop: dpop()'),
  }

  it('is told by its challenge: nothing is asked and nobody is sent anywhere', async () => {
    const { connection, agent, sentTo } = await connect()
    await expect(ping(connection)).rejects.toMatchObject(required)
    expect([agent.begun, sentTo('/token').length, sentTo('/register').length]).toEqual([0, 0, 0])
  })

  it('is told by its metadata, before a client is registered', async () => {
    const { connection, agent, sentTo } = await connect()
    await expect(connection.authorize()).rejects.toMatchObject(required)
    expect([agent.pages.length, sentTo('/register').length]).toEqual([0, 0])
  })

  it.each([
    { error: 'use_dpop_nonce' },
    { error: 'invalid_dpop_proof' },
    { error: 'invalid_grant', error_description: 'DPoP proof JWT not provided' },
  ])('is told by the authorization server’s refusal: %j', async (json) => {
    const { server, connection } = await connect({}, { says: 'nothing' })
    server.routes.token = { status: 400, headers: { 'dpop-nonce': 'n' }, json }
    await expect(connection.authorize()).rejects.toMatchObject({ ...required, oauth: json })
  })

  it('asks for proofs in the middle of a login: the login is kept', async () => {
    const { server, connection } = await connect({}, { says: 'nothing' })
    await connection.authorize()
    const good = server.routes.token
    server.routes.token = { status: 400, json: { error: 'invalid_dpop_proof' } }
    await expect(connection.token({ refresh: true })).rejects.toMatchObject(required)
    server.routes.token = good!
    expect((await connection.explain()).grant?.renewable).toBe(true)
  })
})

describe('requests to a resource that takes bound tokens', () => {
  it.each<[string, (url: string) => [string | URL | Request, RequestInit?]]>([
    ['a string', (url) => [url]],
    ['a URL', (url) => [new URL(url)]],
    ['a Request', (url) => [new Request(url, { method: 'DELETE' })]],
    ['an init', (url) => [url, { method: 'post', body: '{}' }]],
  ])('of whatever shape have a proof of their own: %s', { tags: ['rfc9449/claims'] }, async (_shape, make) => {
    const { connection, proofs } = await connect({ dpop: dpop() })
    await connection.authorize()
    const response = await connection.fetch(...make(`${connection.url}?query=1#fragment`))
    expect(response.status).toBe(200)
    expect(proofs.verdicts.at(-1)).toMatchObject({ at: 'resource', verdict: { kind: 'good' } })
  })

  it('at once have one each', { tags: ['rfc9449/unique'] }, async () => {
    const { connection, proofs } = await connect({ dpop: dpop() })
    await connection.authorize()
    const answers = await Promise.all(Array.from({ length: 20 }, () => ping(connection)))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(proofs.verdicts.filter(({ at }) => at === 'resource')).toHaveLength(20)
  })

  it('with a header of the host’s own have neither token nor proof', async () => {
    const { connection, sentTo } = await connect({ dpop: dpop() })
    await connection.authorize()
    await connection.fetch(connection.url, { headers: { authorization: 'Bearer own' } }).catch(() => undefined)
    const last = sentTo('/mcp').at(-1)
    expect(last?.headers).toMatchObject({ authorization: 'Bearer own' })
    expect(last?.headers).not.toHaveProperty('dpop')
  })

  it('that go elsewhere have neither', async () => {
    const { connection } = await connect({ dpop: dpop() })
    await connection.authorize()
    const other = open(await scriptedAuthorization())
    await connection.fetch(other.url)
    expect(other.requests[0]?.headers).not.toHaveProperty('authorization')
    expect(other.requests[0]?.headers).not.toHaveProperty('dpop')
  })

  it('are told to an audit, once each, also where a nonce was wanted', async () => {
    const entries: unknown[] = []
    const { connection } = await connect(
      { dpop: dpop(), audit: (entry) => entries.push(entry) },
      { resourceNonce: 'r' },
    )
    await connection.authorize()
    await ping(connection)
    expect(entries).toMatchObject([{ method: 'POST', status: 200 }])
  })

  it('with a token that was revoked lead to a refresh, and to a proof of the same key', async () => {
    const { server, connection, agent, sentTo } = await connect({ dpop: dpop() })
    await ping(connection)
    server.accessTokens.clear()
    expect((await ping(connection)).status).toBe(200)
    expect([agent.begun, sentTo('/token').length]).toEqual([1, 2])
  })

  it('whose proof is refused are not repeated, refreshed or signed in for', async () => {
    const { server, connection, agent, sentTo } = await connect({ dpop: dpop() })
    await ping(connection)
    server.clearRequests()
    server.routes.mcp = {
      status: 401,
      headers: { 'www-authenticate': 'DPoP error="invalid_dpop_proof", error_description="iat"' },
    }
    await expect(ping(connection)).rejects.toMatchObject({ code: 'credentials_rejected', action: 'fix_configuration' })
    expect([agent.begun, sentTo('/mcp').length, sentTo('/token').length]).toEqual([1, 1, 0])
  })
})

import { type ConnectorOptions, createConnector, dpop, type LogEvent } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'
import { demandsProofs, type ProofDemands } from '../../support/proof-demanding.js'
import { shiftedClock } from '../../support/shifted-clock.js'
import { scriptedAgent } from '../../support/watched-agent.js'

const open = closing()

async function connect(demands: Partial<ProofDemands> = {}, options: ConnectorOptions = {}) {
  const server = open(await scriptedAuthorization())
  const proofs = demandsProofs(server, demands)
  const events: LogEvent[] = []
  const clock = shiftedClock()
  const agent = scriptedAgent()
  const all = { userAgent: agent, dpop: dpop(), clock, log: (event: LogEvent) => events.push(event), ...options }
  const connection = open(createConnector(all)).connect(server.url)
  const count = (path: string): number => server.requests.filter((request) => request.path === path).length
  const noncesAt = (at: 'token' | 'resource') =>
    proofs.verdicts.flatMap(({ at: where, verdict }) =>
      where === at ? [verdict.kind === 'good' ? verdict.claims.nonce : verdict.error] : [],
    )
  return { server, proofs, connection, clock, agent, events, count, noncesAt }
}

describe('the nonce of a resource (RFC 9449 section 9)', () => {
  it('is asked for once: the refused request is sent again with it, and every later one has it', {
    tags: ['rfc9449/nonce-latest'],
  }, async () => {
    const { connection, noncesAt, agent, count } = await connect({ resourceNonce: 'r1' })
    for (let n = 0; n < 3; n++) expect((await ping(connection)).status).toBe(200)
    expect(noncesAt('resource')).toEqual(['use_dpop_nonce', 'r1', 'r1', 'r1'])
    expect(agent.begun).toBe(1)
    expect(count('/token')).toBe(1)
  })

  it('that comes with a good answer replaces the one before, and costs no request', {
    tags: ['rfc9449/nonce-latest'],
  }, async () => {
    const { proofs, connection, noncesAt } = await connect({ resourceNonce: 'r1' })
    await ping(connection)
    proofs.nextNonce = 'r2'
    await ping(connection)
    await ping(connection)
    expect(noncesAt('resource')).toEqual(['use_dpop_nonce', 'r1', 'r1', 'r2'])
  })

  it('that has changed is asked for again, without a refresh and without a page', async () => {
    const { proofs, connection, noncesAt, agent, count } = await connect({ resourceNonce: 'r1' })
    await ping(connection)
    proofs.resourceNonce = 'r2'
    expect((await ping(connection)).status).toBe(200)
    expect(noncesAt('resource')).toEqual(['use_dpop_nonce', 'r1', 'use_dpop_nonce', 'r2'])
    expect([agent.begun, count('/token')]).toEqual([1, 1])
  })

  it('where it is asked for without end: once more, then an error, and no page', async () => {
    const { server, connection, count, agent } = await connect({ resourceNonce: 'r1' })
    await ping(connection)
    server.clearRequests()
    let n = 0
    server.routes.mcp = () => ({
      status: 401,
      headers: { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': `again-${++n}` },
    })
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'credentials_rejected',
      action: 'fix_configuration',
      received: expect.stringContaining('use_dpop_nonce'),
    })
    expect([count('/mcp'), count('/token'), agent.begun]).toEqual([2, 0, 1])
  })

  it('that grew old while a person signed in is asked for once more', async () => {
    const { server, proofs, connection, noncesAt, agent } = await connect({ resourceNonce: 'r1' })
    await ping(connection)
    const { accessToken } = await connection.token()
    proofs.resourceNonce = 'r2'
    const { mcp, token } = server.routes
    server.routes.mcp = async (...asked) => {
      const answer = typeof mcp === 'function' ? await mcp(...asked) : mcp
      // The nonce is looked at first, and the token that comes with it has ended meanwhile.
      if (noncesAt('resource').length === 3) server.accessTokens.delete(accessToken)
      return answer
    }
    server.routes.token = (...asked) => {
      if (asked[0].body.includes('grant_type=refresh_token')) return { status: 400, json: { error: 'invalid_grant' } }
      proofs.resourceNonce = 'r3'
      return typeof token === 'function' ? token(...asked) : token
    }
    expect((await ping(connection)).status).toBe(200)
    expect(noncesAt('resource')).toEqual(['use_dpop_nonce', 'r1', 'use_dpop_nonce', 'use_dpop_nonce', 'r3'])
    expect(agent.begun).toBe(2)
  })

  it('of a request whose body is a stream: said, and the next request has it', async () => {
    const { connection, noncesAt, count } = await connect()
    await ping(connection)
    const server = await connect({ resourceNonce: 'r1' })
    await server.connection.authorize()
    const body = (): RequestInit => ({
      body: new ReadableStream({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode('{"jsonrpc":"2.0","id":1,"method":"ping"}'))
          controller.close()
        },
      }),
      // Node asks for it with a stream.
      ...{ duplex: 'half' },
    })
    await expect(ping(server.connection, body())).rejects.toMatchObject({ code: 'request_not_replayable' })
    expect((await ping(server.connection, body())).status).toBe(200)
    expect(server.count('/token')).toBe(1)
    expect([noncesAt('resource'), count('/mcp')]).toEqual([[undefined], 2])
  })

  it('is not that of the authorization server, also where both are one', { tags: ['rfc9449/nonce'] }, async () => {
    const { connection, noncesAt } = await connect({ tokenNonce: 't1', resourceNonce: 'r1' })
    await ping(connection)
    await connection.token({ refresh: true })
    await ping(connection)
    expect(noncesAt('token')).toEqual(['use_dpop_nonce', 't1', 't1'])
    expect(noncesAt('resource')).toEqual(['use_dpop_nonce', 'r1', 'r1'])
  })
})

describe('the nonce of an authorization server (RFC 9449 section 8)', () => {
  it('that has changed is answered in the same turn of a refresh', async () => {
    const { proofs, connection, noncesAt, events, agent } = await connect({ tokenNonce: 't1' })
    await ping(connection)
    proofs.tokenNonce = 't2'
    expect(await connection.token({ refresh: true })).toMatchObject({ tokenType: 'DPoP' })
    expect(noncesAt('token')).toEqual(['use_dpop_nonce', 't1', 'use_dpop_nonce', 't2'])
    expect(events.map(({ type }) => type)).toContain('refreshed')
    expect(events.filter(({ type }) => type === 'lease_waited' || type === 'kept')).toEqual([])
    expect(agent.begun).toBe(1)
  })

  it('where it is asked for without end: twice in a turn, and the login is kept', async () => {
    const { server, connection, count } = await connect({ tokenNonce: 't1' })
    await ping(connection)
    const good = server.routes.token
    let n = 0
    server.routes.token = () => ({
      status: 400,
      headers: { 'dpop-nonce': `again-${++n}` },
      json: { error: 'use_dpop_nonce' },
    })
    server.clearRequests()
    await expect(connection.token({ refresh: true })).rejects.toMatchObject({
      code: 'token_request_rejected',
      action: 'fix_configuration',
      oauth: { error: 'use_dpop_nonce' },
    })
    expect(count('/token')).toBe(2)
    server.routes.token = good!
    expect(connection.getSnapshot().status).toBe('signed_in')
    expect((await connection.explain()).grant?.renewable).toBe(true)
  })

  it.each([
    ['ahead of', 3_600_000],
    ['behind', -3_600_000],
  ])('a proof that is refused for a clock that is %s the server’s: said, and the login is kept', async (words, ms) => {
    const { server, connection, clock } = await connect()
    await ping(connection)
    const good = server.routes.token
    server.routes.token = () => ({
      status: 400,
      headers: { date: new Date(clock.now() - ms).toUTCString() },
      json: { error: 'invalid_dpop_proof', error_description: 'iat' },
    })
    const error = await connection.token({ refresh: true }).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'token_request_rejected', action: 'fix_configuration' })
    expect(String(error)).toMatch(new RegExp(`3(599|60\\d) s ${words} its own: set it`))
    server.routes.token = good!
    clock.forward(6_000)
    expect(await connection.token({ refresh: true })).toMatchObject({ tokenType: 'DPoP' })
  })
})

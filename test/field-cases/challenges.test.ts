import { describe, expect, it } from 'vitest'
import { scriptedAuthorization } from '../servers/index.js'
import { askedOf, scopesAskedOf } from '../support/issuers.js'
import { ping } from '../support/mcp-client.js'
import { field } from './support.js'

const at = field()
const pathDocument = '/.well-known/oauth-protected-resource/mcp'
const rootDocument = '/.well-known/oauth-protected-resource'
const codes = (seen: { readonly diagnostics: readonly { readonly code: string }[] }): readonly string[] => [
  ...new Set(seen.diagnostics.map(({ code }) => code)),
]

/** The resource metadata documents that were asked for, in order. */
const documentsAsked = (): readonly string[] =>
  askedOf(at.server)
    .map((request) => request.replace(/^GET /, ''))
    .filter((path) => path.includes('protected-resource') || path.startsWith('/custom'))

const metadata = () => ({ json: { resource: at.server.url, authorization_servers: [at.server.issuer] } })

describe('a server that asks for a token without saying where to get one', () => {
  it('without WWW-Authenticate (A01)', async () => {
    at.challenge(undefined)
    const { connection, seen } = at.connect()
    expect((await ping(connection)).status).toBe(200)
    expect(codes(seen)).toEqual(['challenge_missing'])
  })

  it.each(['Bearer error="invalid_token"', 'Bearer realm="OAuth"'])('with %s alone (A02)', async (header) => {
    at.challenge(header)
    const { connection, seen } = at.connect()
    expect((await ping(connection)).status).toBe(200)
    expect(codes(seen)).toEqual([])
  })

  it('under another name (A10)', async () => {
    at.challenge(`Bearer resource="${at.server.origin}${pathDocument}"`)
    expect((await ping(at.connect().connection)).status).toBe(200)
  })

  it('as a URL without scheme (A11)', async () => {
    at.challenge(`Bearer resource_metadata="example.com${pathDocument}"`)
    const { connection, seen } = at.connect()
    expect((await ping(connection)).status).toBe(200)
    expect(codes(seen)).toEqual(['resource_metadata_url_invalid'])
  })
})

describe('a server that names its metadata in its own way', () => {
  it('twice, the first of them wrong: the second is asked next (A03)', async () => {
    at.server.routes.resourceMetadata = { status: 404 }
    at.serve({ '/custom/right': metadata() })
    at.challenge(
      `Bearer resource_metadata="${at.server.origin}/custom/wrong", resource_metadata="${at.server.origin}/custom/right"`,
    )
    const { connection, seen } = at.connect()
    expect((await ping(connection)).status).toBe(200)
    expect(documentsAsked()).toEqual(['/custom/wrong', '/custom/right'])
    expect(codes(seen)).toEqual(['challenge_parameter_repeated', 'resource_metadata_missed'])
  })

  it('twice, one of them elsewhere: neither is asked (A03)', async () => {
    const elsewhere = await scriptedAuthorization()
    const named = [at.server, elsewhere].map(({ origin }) => `resource_metadata="${origin}${pathDocument}"`)
    at.challenge(`Bearer ${named.join(', ')}`)
    await expect(ping(at.connect().connection)).rejects.toMatchObject({ code: 'url_not_allowed' })
    expect([...askedOf(at.server), ...askedOf(elsewhere)]).toEqual([])
    await elsewhere.close()
  })

  it.each<[string, readonly string[]]>([
    ['on lines of their own', ['Negotiate', 'Basic realm="x"', 'METADATA']],
    ['on one line', ['Negotiate, Basic realm="x", METADATA']],
    ['after it', ['METADATA, Basic realm="a, b"']],
  ])('beside other schemes, %s (A04)', async (_name, lines) => {
    at.serve({ '/custom/document': metadata() })
    const bearer = `Bearer resource_metadata="${at.server.origin}/custom/document"`
    at.challenge(lines.map((line) => line.replace('METADATA', bearer)))
    expect((await ping(at.connect().connection)).status).toBe(200)
    expect(documentsAsked()).toEqual(['/custom/document'])
  })

  it('once, and later not: it is remembered (A04)', async () => {
    at.serve({ '/custom/document': metadata() })
    at.server.routes.resourceMetadata = { status: 404 }
    at.challenge(`Bearer resource_metadata="${at.server.origin}/custom/document"`)
    const { connection } = at.connect()
    await ping(connection)
    at.challenge('Negotiate')
    at.server.accessTokens.clear()
    at.server.refreshTokens.clear()
    expect((await ping(connection)).status).toBe(200)
  })

  it.each([
    ['with spaces around =', 'Bearer resource_metadata = "URL"'],
    ['in single quotes', "Bearer resource_metadata='URL'"],
    ['without quotes', 'Bearer resource_metadata=URL'],
    ['after a value with a comma', 'Bearer realm="a, b", resource_metadata="URL"'],
  ])('%s (A05)', async (_name, header) => {
    at.serve({ '/custom/document': metadata() })
    at.challenge(header.replace('URL', `${at.server.origin}/custom/document`))
    expect((await ping(at.connect().connection)).status).toBe(200)
    expect(documentsAsked()).toEqual(['/custom/document'])
  })

  it('beside text that looks like a parameter: it is none (A06)', async () => {
    at.challenge('Bearer error_description="needs scope=admin", not_resource_metadata="https://evil.example/x"')
    expect((await ping(at.connect().connection)).status).toBe(200)
    expect(scopesAskedOf(at.server)).toEqual([null])
    expect(documentsAsked()).toEqual([pathDocument])
  })

  it('where there is nothing: the well-known places are asked next (A07)', async () => {
    at.challenge(`Bearer resource_metadata="${at.server.origin}${pathDocument}/mcp"`)
    const { connection, seen } = at.connect()
    expect((await ping(connection)).status).toBe(200)
    expect(documentsAsked()).toEqual([`${pathDocument}/mcp`, pathDocument])
    expect(seen.diagnostics).toMatchObject([{ code: 'resource_metadata_missed' }])
  })

  it('where the document is that of one tool: the well-known places are asked next (A07)', async () => {
    const document = { resource: `${at.server.url}/list_calendars`, authorization_servers: [at.server.issuer] }
    at.serve({ '/custom/list_calendars': { json: document } })
    at.challenge(`Bearer resource_metadata="${at.server.origin}/custom/list_calendars"`)
    expect((await ping(at.connect().connection)).status).toBe(200)
    expect(documentsAsked()).toEqual(['/custom/list_calendars', pathDocument])
  })

  it('where none of the places has it: the error names them all (A07)', async () => {
    at.server.routes.resourceMetadata = { status: 404 }
    at.challenge(`Bearer resource_metadata="${at.server.origin}/custom/document"`)
    const { received } = await ping(at.connect().connection).catch((error) => error)
    for (const path of ['/custom/document', pathDocument, rootDocument]) {
      expect(received).toContain(`${at.server.origin}${path}: HTTP 404`)
    }
  })

  it('on the host of its provider: refused, and the host is not asked (A08)', async () => {
    const provider = await scriptedAuthorization()
    at.challenge(`Bearer resource_metadata="${provider.origin}${pathDocument}"`)
    await expect(ping(at.connect().connection)).rejects.toMatchObject({
      code: 'url_not_allowed',
      url: `${provider.origin}${pathDocument}`,
      expected: `resource_metadata on ${at.server.origin}`,
    })
    expect(provider.requests).toEqual([])
    await provider.close()
  })

  it('and guards it by the same challenge: no loop (A12)', async () => {
    at.server.routes.resourceMetadata = {
      status: 401,
      headers: { 'www-authenticate': `Bearer resource_metadata="${at.server.origin}${pathDocument}"` },
    }
    await expect(ping(at.connect().connection)).rejects.toMatchObject({
      code: 'resource_metadata_not_found',
      received: expect.stringContaining(`${pathDocument}: HTTP 401`),
    })
    expect(documentsAsked()).toEqual([pathDocument, rootDocument])
  })
})

describe('when a server asks', () => {
  const call = (method: string): RequestInit => ({ body: JSON.stringify({ jsonrpc: '2.0', id: 1, method }) })

  it('at a tool call alone: that call signs in, and is made again (A14)', async () => {
    at.server.routes.mcp = ({ body }, usual) =>
      body.includes('tools/call') ? usual() : { json: { jsonrpc: '2.0', id: 1, result: { open: true } } }
    const { connection, agent } = at.connect()
    for (const method of ['initialize', 'tools/list']) {
      expect(await (await ping(connection, call(method))).json()).toMatchObject({ result: { open: true } })
    }
    expect(agent.begun).toBe(0)
    expect((await ping(connection, call('tools/call'))).status).toBe(200)
    expect(agent.begun).toBe(1)
  })

  it('at a tool call alone: authorize() signs in before it (A14)', async () => {
    at.server.routes.mcp = ({ body }, usual) => (body.includes('tools/call') ? usual() : { json: {} })
    const { connection, agent } = at.connect({ interaction: 'explicit' })
    await connection.authorize()
    expect((await ping(connection, call('tools/call'))).status).toBe(200)
    expect(agent.begun).toBe(1)
  })

  it('never, although its origin has metadata: nothing of OAuth is done (A15)', async () => {
    at.server.routes.mcp = { json: { jsonrpc: '2.0', id: 1, result: {} } }
    const { connection, agent } = at.connect()
    expect((await ping(connection)).status).toBe(200)
    expect([agent.begun, askedOf(at.server)]).toEqual([0, []])
  })

  it('inside a 200: the answer goes to the client, and nobody is asked (A13)', async () => {
    const body = { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Sign-in required' } }
    at.server.routes.mcp = { json: body }
    const { connection, agent } = at.connect()
    expect(await (await ping(connection)).json()).toEqual(body)
    expect(agent.begun).toBe(0)
  })
})

it('what the challenge named holds for both halves of a login (L1)', async () => {
  at.serve({ '/custom/document': metadata() })
  at.server.routes.resourceMetadata = { status: 404 }
  at.challenge(`Bearer resource_metadata="${at.server.origin}/custom/document"`)
  const { connection } = at.connect({ interaction: 'explicit' })
  await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
  await connection.authorize()
  expect(documentsAsked()).toEqual(['/custom/document'])
})

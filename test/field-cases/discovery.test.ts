import { beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { askedOf, lists } from '../support/issuers.js'
import { ping } from '../support/mcp-client.js'
import { endpointsAt, field, withMembers } from './support.js'

const at = field()
const open = closing()
const resourceAtPath = '/.well-known/oauth-protected-resource/mcp'
const resourceAtRoot = '/.well-known/oauth-protected-resource'
const html = { body: '<!doctype html><title>App</title>', headers: { 'content-type': 'text/html' } }

const resource = (members: object = {}): Answer => ({
  json: { resource: at.server.url, authorization_servers: [at.server.issuer], ...members },
})
const signsIn = async (options?: Parameters<typeof at.connect>[0]): Promise<readonly string[]> => {
  const { connection, seen } = at.connect(options)
  expect((await ping(connection)).status).toBe(200)
  return [...new Set(seen.diagnostics.map(({ code }) => code))]
}
const refused = (options?: Parameters<typeof at.connect>[0]): Promise<unknown> =>
  ping(at.connect(options).connection).then(
    ({ status }) => expect.unreachable(`HTTP ${status}`),
    (error) => error,
  )
/** What was sent as `resource` with the authorization request. */
const resourceSent = (): string | null | undefined =>
  at.server.requests.find(({ path }) => path === '/authorize')?.query.get('resource')

describe('the metadata of a resource', () => {
  beforeEach(() => at.challenge('Bearer'))

  it.each<[string, Answer]>([
    ['404', { status: 404 }],
    ['401 from a gateway', { status: 401 }],
    ['403 from a gateway', { status: 403, ...html }],
    ['400', { status: 400 }],
    ['the page of an application', html],
    ['text', { body: 'Not Found' }],
    ['JSON of something else', { json: { name: 'app' } }],
  ])('is at the root alone; at the path is %s (B01, B03, B05, L6, L7)', async (_name, answer) => {
    at.server.routes.resourceMetadata = answer
    at.serve({ [resourceAtRoot]: resource() })
    expect(await signsIn()).toEqual([])
  })

  it('is at the path alone, and the root is not asked (B02, L2)', async () => {
    await signsIn()
    expect(askedOf(at.server)).toContain(`GET ${resourceAtPath}`)
    expect(askedOf(at.server)).not.toContain(`GET ${resourceAtRoot}`)
  })

  it.each([500, 502])('is at the root, behind a gateway that answers %i at the path (B04)', async (status) => {
    at.server.routes.resourceMetadata = { status, ...html }
    at.serve({ [resourceAtRoot]: resource() })
    expect(await signsIn()).toEqual([])
  })

  it('is out of reach: later, and the origin is not taken for an authorization server (B04)', async () => {
    at.server.routes.resourceMetadata = { status: 502 }
    expect(await refused()).toMatchObject({ code: 'server_unavailable', action: 'retry_at' })
    expect(askedOf(at.server)).toEqual([`GET ${resourceAtPath}`, `GET ${resourceAtRoot}`])
  })

  it('comes as text/plain (B06)', async () => {
    const body = JSON.stringify({ resource: at.server.url, authorization_servers: [at.server.issuer] })
    at.server.routes.resourceMetadata = { body, headers: { 'content-type': 'text/plain' } }
    expect(await signsIn()).toEqual([])
  })

  it('describes the origin, for a server below it (B09, L30)', async () => {
    at.server.routes.resourceMetadata = resource({ resource: at.server.origin })
    expect(await signsIn()).toEqual(['resource_is_prefix'])
  })

  it('describes a sibling of the server (B09)', async () => {
    at.server.routes.resourceMetadata = resource({ resource: `${at.server.origin}/mcp2` })
    expect(await refused()).toMatchObject({ code: 'resource_mismatch', received: `${at.server.origin}/mcp2` })
  })

  it('is sent as `resource` to the letter: no slash is added (H02, L29)', async () => {
    at.server.routes.resourceMetadata = resource({ resource: at.server.origin })
    await signsIn()
    expect(resourceSent()).toBe(at.server.origin)
  })

  it('lists no authorization server, and the origin has metadata: as in revision 2025-03-26 (B11)', async () => {
    at.server.routes.resourceMetadata = resource({ authorization_servers: [] })
    expect(await signsIn()).toEqual(['resource_metadata_absent'])
  })

  it('lists no authorization server, and the challenge names it: it is what counts (B11)', async () => {
    at.challenge(`Bearer resource_metadata="${at.server.origin}${resourceAtPath}"`)
    at.server.routes.resourceMetadata = resource({ authorization_servers: undefined })
    expect(await refused()).toMatchObject({
      code: 'resource_metadata_not_found',
      received: expect.stringContaining('authorization_servers'),
    })
  })

  it('lists one, and it is not the issuer of what is there (B13)', async () => {
    lists(at.server, `${at.server.origin}/api/auth`)
    const metadata = withMembers({})
    at.server.routes.other = ({ path }) =>
      path === '/.well-known/oauth-authorization-server/api/auth'
        ? { json: { issuer: at.server.origin, token_endpoint: `${at.server.origin}/token` } }
        : undefined
    at.server.routes.serverMetadata = metadata
    expect(await refused()).toMatchObject({
      code: 'issuer_mismatch',
      expected: `${at.server.origin}/api/auth`,
      received: at.server.origin,
      hint: expect.stringContaining('compatibility.trustIssuer'),
    })
  })

  it('does not exist, and the metadata of the origin does (B14)', async () => {
    at.server.routes.resourceMetadata = { status: 404 }
    expect(await signsIn()).toEqual(['resource_metadata_absent'])
    expect(resourceSent()).toBe(at.server.url)
  })

  it('does not exist, and what the origin has is below the path: nothing is guessed from it (B15)', async () => {
    Object.assign(at.server.routes, { resourceMetadata: { status: 404 }, serverMetadata: { status: 404 } })
    at.server.routes.register = { status: 404 }
    at.serve({ '/.well-known/oauth-authorization-server/mcp': { json: { issuer: `${at.server.origin}/mcp` } } })
    expect(await refused()).toMatchObject({ code: 'resource_metadata_not_found' })
    expect(askedOf(at.server)).not.toContain('GET /authorize')
  })
})

describe('the query of a server URL', () => {
  it('that the metadata does not have is neither sent nor shown (B10, L31)', async () => {
    const { connection, seen } = at.connect({}, '?key=secret-in-the-query')
    expect((await ping(connection)).status).toBe(200)
    expect(resourceSent()).toBe(at.server.url)
    for (const { path, url } of at.server.requests) {
      if (path !== '/mcp') expect(url).not.toContain('secret-in-the-query')
    }
    expect(JSON.stringify(seen.events)).not.toContain('secret-in-the-query')
  })

  it('that the metadata has made a path of: refused (B10)', async () => {
    at.server.routes.resourceMetadata = resource({ resource: `${at.server.url}/K/message` })
    expect(await refused()).toMatchObject({ code: 'resource_mismatch' })
  })
})

describe('the metadata of an authorization server', () => {
  let as: ScriptedAuthorization
  beforeEach(async () => {
    as = open(await scriptedAuthorization())
    lists(at.server, as)
  })

  /** Moves the authorization server below a path, with its metadata at these places alone. */
  function below(path: string, places: readonly string[], issuer = as.origin + path): void {
    lists(at.server, as)
    at.server.routes.resourceMetadata = resource({ authorization_servers: [as.origin + path] })
    const document: Answer = {
      json: {
        issuer,
        authorization_endpoint: `${as.origin}/authorize`,
        token_endpoint: `${as.origin}/token`,
        registration_endpoint: `${as.origin}/register`,
        code_challenge_methods_supported: ['S256'],
      },
    }
    as.routes.serverMetadata = { status: 404 }
    as.routes.other = ({ path: asked }) => (places.includes(asked) ? document : undefined)
    as.routes.authorize = (_request, usual) => {
      const location = new URL(String(usual().headers?.location))
      location.searchParams.delete('iss')
      return { status: 302, headers: { location: location.href } }
    }
  }
  const inserted = '/.well-known/oauth-authorization-server/tenant'
  const openidInserted = '/.well-known/openid-configuration/tenant'
  const openidAppended = '/tenant/.well-known/openid-configuration'

  it.each([
    [[inserted], 1],
    [[openidInserted], 2],
    [[openidAppended], 3],
  ])('is at %j alone (C11, L4)', async (places, requests) => {
    below('/tenant', places)
    await signsIn()
    const asked = askedOf(as).filter((request) => request.includes('.well-known'))
    expect(asked).toEqual([inserted, openidInserted, openidAppended].slice(0, requests).map((path) => `GET ${path}`))
  })

  it('is appended in a way that no specification has: the error names the places, and endpoints help (C10)', async () => {
    below('/tenant', ['/tenant/.well-known/oauth-authorization-server'])
    expect(await refused()).toMatchObject({
      code: 'authorization_server_metadata_not_found',
      received: expect.stringContaining(openidAppended),
    })
    const endpoints = endpointsAt(as.origin)
    expect(await signsIn({ compatibility: { endpoints, assumePkceS256: true } })).toEqual(['endpoints_assumed'])
  })

  it('of an issuer that ends in a slash: its own string is kept (C03, C14)', async () => {
    below('/tenant/', [inserted])
    await signsIn()
    expect(askedOf(as).join(' ')).not.toContain('//')
  })

  it.each([
    ['the document', (issuer: string) => [issuer, `${issuer}/`]],
    ['the resource', (issuer: string) => [`${issuer}/`, issuer]],
  ])('and %s alone ends the root in a slash (C02, L10)', async (_name, of) => {
    const [listed = '', issuer = ''] = of(as.issuer)
    at.server.routes.resourceMetadata = resource({ authorization_servers: [listed] })
    as.routes.serverMetadata = withMembers({ issuer, authorization_response_iss_parameter_supported: undefined })
    as.routes.authorize = (_request, usual) => {
      const location = new URL(String(usual().headers?.location))
      location.searchParams.set('iss', issuer)
      return { status: 302, headers: { location: location.href } }
    }
    expect(await signsIn()).toEqual(['issuer_trailing_slash'])
  })

  it('names an issuer without the path that was asked: refused, and allowed by name (C04, C05)', async () => {
    below('/tenant', [inserted], as.origin)
    expect(await refused()).toMatchObject({
      code: 'issuer_mismatch',
      expected: `${as.origin}/tenant`,
      received: as.origin,
    })
    const trustIssuer = { listed: `${as.origin}/tenant`, document: as.origin }
    expect(await signsIn({ compatibility: { trustIssuer } })).toEqual([])
  })

  it('names a template for its issuer: refused, and allowed by name (C06)', async () => {
    const document = `${as.origin}/{tenantid}/v2.0`
    below('/tenant', [inserted], document)
    expect(await refused()).toMatchObject({ code: 'issuer_mismatch', received: document })
    const trustIssuer = { listed: `${as.origin}/tenant`, document }
    expect(await signsIn({ compatibility: { trustIssuer } })).toEqual([])
  })

  it('of another issuer at the first place hides nothing: the right one is asked for next', async () => {
    below('/tenant', [openidAppended])
    const { other } = as.routes
    as.routes.other = (request, usual) =>
      request.path === inserted
        ? { json: { issuer: as.origin, token_endpoint: `${as.origin}/token` } }
        : typeof other === 'function'
          ? other(request, usual)
          : undefined
    expect(await signsIn()).toEqual([])
  })

  it.each([400, 403])('is not at a place that answers %i (C12, B03)', async (status) => {
    below('/tenant', [openidAppended])
    const { other } = as.routes
    as.routes.other = async (request, usual) =>
      (typeof other === 'function' ? await other(request, usual) : undefined) ?? { status, ...html }
    expect(await signsIn()).toEqual([])
  })

  it('omits PKCE: refused, and allowed by name (C13)', async () => {
    as.routes.serverMetadata = withMembers({ code_challenge_methods_supported: undefined })
    expect(await refused()).toMatchObject({
      code: 'pkce_unsupported',
      hint: expect.stringContaining('compatibility.assumePkceS256'),
    })
    expect(await signsIn({ compatibility: { assumePkceS256: true } })).toEqual([])
    expect(as.requests.find(({ path }) => path === '/authorize')?.query.get('code_challenge_method')).toBe('S256')
  })

  it('has empty and null members, and lacks what OpenID requires (C16, L5, L12)', async () => {
    as.routes.serverMetadata = withMembers({ service_documentation: '', scopes_supported: null, jwks_uri: undefined })
    expect(await signsIn()).toEqual(['null_member'])
  })

  it('lists no refresh grant, and refresh tokens come all the same: they are used (C18)', async () => {
    as.routes.serverMetadata = withMembers({ grant_types_supported: ['authorization_code'] })
    const { connection } = at.connect()
    await ping(connection)
    const before = await connection.token()
    expect((await connection.token({ refresh: true })).accessToken).not.toBe(before.accessToken)
  })

  it('redirects within its origin: followed; to another: not (C20)', async () => {
    below('/tenant', ['/moved'])
    const { other } = as.routes
    as.routes.other = (request, usual) =>
      request.path === inserted
        ? { status: 301, headers: { location: '/moved' } }
        : typeof other === 'function'
          ? other(request, usual)
          : undefined
    expect(await signsIn()).toEqual([])

    const elsewhere = open(await scriptedAuthorization())
    as.routes.other = {
      status: 302,
      headers: { location: `${elsewhere.origin}/.well-known/oauth-authorization-server` },
    }
    as.routes.serverMetadata = as.routes.other
    expect(await refused()).toMatchObject({ code: 'authorization_server_metadata_not_found' })
    expect(elsewhere.requests).toEqual([])
  })

  it('is kept behind a gateway that wants no clients: the status says so (C21)', async () => {
    as.routes.serverMetadata = { status: 403, ...html }
    expect(await refused()).toMatchObject({ received: expect.stringContaining('HTTP 403') })
  })

  it('is elsewhere, with its endpoints: none is asked of the server itself (L8, L9)', async () => {
    await signsIn()
    const own = askedOf(at.server).filter((request) => !request.includes('.well-known'))
    expect(own).toEqual([])
  })

  it('has a registration endpoint of null: what to register by hand is said (L12, D24)', async () => {
    as.routes.serverMetadata = withMembers({ registration_endpoint: null })
    expect(await refused()).toMatchObject({
      code: 'client_id_required',
      url: `${as.origin}/`,
      expected: expect.stringContaining('redirect URI http://'),
    })
    expect(askedOf(as)).not.toContain('POST /register')
  })
})

describe('a server without any metadata', () => {
  beforeEach(() => {
    Object.assign(at.server.routes, { resourceMetadata: { status: 404 }, serverMetadata: { status: 404 } })
    at.challenge('Bearer')
  })

  it('that is none of OAuth: what was asked is said, and how to give a token (K08, L22)', async () => {
    at.server.routes.register = { status: 404 }
    expect(await refused()).toMatchObject({
      code: 'resource_metadata_not_found',
      hint: expect.stringContaining('needs its token in the Authorization header'),
    })
  })

  it('whose places lead to a page of login: endpoints of the host do without them (L11)', async () => {
    const login = { status: 302, headers: { location: 'https://login.example/' } }
    Object.assign(at.server.routes, { resourceMetadata: login, serverMetadata: login, other: login })
    expect(await refused()).toMatchObject({ code: 'resource_metadata_not_found' })
    const endpoints = endpointsAt(at.server.origin)
    await signsIn({ compatibility: { endpoints, assumePkceS256: true } })
  })
})

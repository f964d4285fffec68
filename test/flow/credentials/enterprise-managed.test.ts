import { createConnector, type EnterpriseManagedOptions, enterpriseManaged } from '@countersign/core'
import { decodeProtectedHeader, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AuthorizationServer,
  type McpServerUnderTest,
  person,
  plainClient,
  scriptedAuthorization,
  startAuthorizationServer,
  startMcpServer,
} from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { mcpClient } from '../../support/mcp-client.js'
import { recordingFetch } from '../../support/sent.js'

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`

// The identity provider names the client as the resource's server knows it, so both know it by one name.
const clientId = 'the-host'
const redirect_uris = ['http://127.0.0.1:41999/callback']
const secrets = { at_idp: 'secret at the identity provider', at_as: 'secret at the other server' }

describe('enterprise-managed access, at two real servers', () => {
  const open = closing()
  let idp: AuthorizationServer
  let as: AuthorizationServer
  let mcp: McpServerUnderTest

  beforeAll(async () => {
    const grants = (...grant_types: string[]) => ({ client_id: clientId, redirect_uris, grant_types })
    idp = await startAuthorizationServer({
      clients: [
        {
          ...grants('authorization_code', TOKEN_EXCHANGE),
          client_secret: secrets.at_idp,
          scope: 'openid notes:read notes:write',
        },
      ],
    })
    as = await startAuthorizationServer({
      clients: [
        {
          ...grants(JWT_BEARER),
          redirect_uris: [],
          response_types: [],
          client_secret: secrets.at_as,
          scope: 'notes:read notes:write',
        },
      ],
      trustedIssuers: { [idp.issuer]: idp.jwksUri },
    })
    mcp = await startMcpServer({ authorizationServer: as, requiredScope: 'notes:read' })
  })
  afterAll(async () => {
    for (const server of [mcp, as, idp]) {
      await server.close()
      expect(server.errors).toEqual([])
    }
  })

  /** What single sign-on left: an ID token of the identity provider. */
  async function signOn(): Promise<string> {
    const client = await plainClient(idp.issuer, { clientId })
    const response = await client.authorize(person({ login: 'alice' }), { scope: 'openid' })
    const { body } = await client.exchange(response.get('code') ?? '', { client_secret: secrets.at_idp })
    return String(body.id_token)
  }

  const connect = (idToken: EnterpriseManagedOptions['idToken'] = 'never asked', more: object = {}) => {
    const out = recordingFetch()
    const credentials = enterpriseManaged({
      issuer: as.issuer,
      clientId,
      clientSecret: secrets.at_as,
      identityProvider: { issuer: idp.issuer, clientId, clientSecret: secrets.at_idp },
      idToken,
      ...more,
    })
    const connection = open(createConnector({ credentials, oauthFetch: out.fetch })).connect(mcp.url)
    const sent = () =>
      out.sent
        .filter(({ method }) => method === 'POST')
        .map(({ url, body }) => [url.origin, new URLSearchParams(body)] as const)
    return { connection, sent }
  }

  it('who is signed in at the identity provider is signed in here, and sees no page', {
    tags: ['rfc8693/subject-token', 'rfc7523/jwt-bearer'],
  }, async () => {
    const { connection, sent } = connect(await signOn())
    await using client = await mcpClient(connection)
    expect(await client.call('whoami')).toBe('alice (notes:read)')

    const [exchange, redemption, ...more] = sent()
    expect(more).toEqual([])
    expect(exchange?.[0]).toBe(idp.issuer)
    expect(Object.fromEntries(exchange?.[1] ?? [])).toMatchObject({
      grant_type: TOKEN_EXCHANGE,
      requested_token_type: type('id-jag'),
      audience: as.issuer,
      resource: mcp.url,
      subject_token_type: type('id_token'),
      scope: 'notes:read',
    })
    expect(redemption?.[0]).toBe(as.issuer)
    expect(redemption?.[1].get('grant_type')).toBe(JWT_BEARER)
    expect(decodeProtectedHeader(redemption?.[1].get('assertion') ?? '').typ).toBe('oauth-id-jag+jwt')
    expect(as.requests.some(({ path }) => path === '/auth')).toBe(false)
  })

  it('each acquisition has an assertion of its own: a server refuses one that it has seen', async () => {
    const { connection, sent } = connect(await signOn())
    await connection.token()
    await connection.token({ refresh: true })
    const assertions = sent().flatMap(([, form]) => form.get('assertion') ?? [])
    expect(new Set(assertions).size).toBe(2)
  })

  it('an assertion that is refused is made anew, once', async () => {
    const { connection, sent } = connect(await signOn())
    let refusals = 1
    as.tokenEndpoint.intercept = () =>
      refusals-- > 0 ? { status: 400, json: { error: 'invalid_grant', error_description: 'seen' } } : undefined
    expect(await connection.token()).toMatchObject({ tokenType: 'Bearer' })
    expect(sent().map(([origin]) => origin)).toEqual([idp.issuer, as.issuer, idp.issuer, as.issuer])
    refusals = 2
    await expect(connection.token({ refresh: true })).rejects.toMatchObject({ oauth: { error: 'invalid_grant' } })
    expect(sent()).toHaveLength(8)
    as.tokenEndpoint.intercept = undefined
  })

  it('an ID token that is refused at the identity provider goes no further; its supplier is asked once more', async () => {
    const good = await signOn()
    const forged = await new SignJWT({ sub: 'mallory', exp: 1, aud: clientId })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(idp.issuer)
      .sign(new TextEncoder().encode('a key that nobody trusts, long enough'))
    as.clearRequests()
    await expect(connect(forged).connection.token()).rejects.toMatchObject({
      code: 'token_request_rejected',
      url: `${idp.issuer}/token`,
    })
    expect(as.requests.some(({ path }) => path === '/token')).toBe(false)
    const given = [forged, good]
    expect(await connect(async () => given.shift() ?? '').connection.token()).toMatchObject({ tokenType: 'Bearer' })
  })

  it('the identity provider’s token endpoint can be named, where it publishes no metadata', async () => {
    const endpoint = {
      issuer: idp.issuer,
      clientId,
      clientSecret: secrets.at_idp,
      tokenEndpoint: `${idp.issuer}/token`,
    }
    idp.clearRequests()
    await connect(await signOn(), { identityProvider: endpoint }).connection.token()
    expect(idp.requests.filter(({ path }) => path.startsWith('/.well-known'))).toEqual([])
  })

  it('neither secret reaches the other server', async () => {
    const { connection } = connect(await signOn())
    const seen: string[] = []
    as.tokenEndpoint.intercept = ({ headers, parameters }) => {
      seen.push(atob(headers.authorization?.slice(6) ?? ''), parameters.toString())
      return undefined
    }
    await connection.token()
    as.tokenEndpoint.intercept = undefined
    expect(seen.join()).not.toMatch(/identity(\+|%20| )provider/)
  })
})

describe('the assertion of the identity provider', () => {
  const open = closing()

  it.each([
    ['of another type', { issued_token_type: type('access_token') }],
    ['of no type', {}],
  ])('%s is refused, and does not go to the server', { tags: ['rfc8693/issued-type'] }, async (_name, answer) => {
    const as = open(await scriptedAuthorization())
    const idp = open(await scriptedAuthorization())
    idp.routes.token = { json: { access_token: 'not an id-jag', token_type: 'N_A', ...answer } }
    const credentials = enterpriseManaged({
      issuer: as.issuer,
      clientId,
      identityProvider: { issuer: idp.issuer, clientId },
      idToken: 'the id token',
    })
    const connection = open(createConnector({ credentials })).connect(as.url)
    await expect(connection.token()).rejects.toMatchObject({
      code: 'token_response_invalid',
      expected: `issued_token_type ${type('id-jag')}`,
    })
    expect(as.requests.some(({ path }) => path === '/token')).toBe(false)
  })

  it.each([
    ['refreshToken', type('refresh_token')],
    ['samlAssertion', type('saml2')],
  ] as const)('may be had for a %s', async (name, subject_token_type) => {
    const as = open(await scriptedAuthorization())
    const idp = open(await scriptedAuthorization())
    idp.routes.token = { json: { access_token: 'jag', token_type: 'N_A', issued_token_type: type('id-jag') } }
    as.routes.token = { json: { access_token: 't', token_type: 'Bearer' } }
    const assertion = { [name]: 'the assertion' } as { readonly refreshToken: string }
    const credentials = enterpriseManaged({
      issuer: as.issuer,
      clientId,
      identityProvider: { issuer: idp.issuer, clientId },
      ...assertion,
    })
    await open(createConnector({ credentials })).connect(as.url).token()
    const [request] = idp.requests.filter(({ path }) => path === '/token')
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toMatchObject({
      subject_token: 'the assertion',
      subject_token_type,
    })
  })

  it('there must be one, and no more', () => {
    const common = {
      issuer: 'https://as.example',
      clientId,
      identityProvider: { issuer: 'https://idp.example', clientId },
    }
    const make = (more: object) => enterpriseManaged({ ...common, ...more } as EnterpriseManagedOptions)
    expect(() => make({})).toThrow(/one of idToken, refreshToken and samlAssertion.*none/)
    expect(() => make({ idToken: 'a', refreshToken: 'b' })).toThrow(/several/)
  })
})

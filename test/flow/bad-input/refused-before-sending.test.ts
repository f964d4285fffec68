import { type ConnectorOptions, createConnector } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, type ScriptedOverride, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { lists } from '../../support/issuers.js'
import { ping } from '../../support/mcp-client.js'
import { scriptedAgent } from '../../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
/** Where nothing may be sent. */
let elsewhere: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
  elsewhere = open(await scriptedAuthorization())
})

const withMembers =
  (members: object): ScriptedOverride =>
  (_request, usual) => ({ json: { ...(usual().json as object), ...members } })

/** What the authorization endpoint sends back, altered. */
const answeredWith =
  (change: (parameters: URLSearchParams) => void): ScriptedOverride =>
  (_request, usual) => {
    const answer = usual()
    const location = new URL(String(answer.headers?.location))
    change(location.searchParams)
    return { ...answer, headers: { location: location.href } }
  }

interface Row {
  readonly name: string
  readonly spoil: () => void
  readonly options?: () => ConnectorOptions
  readonly code: string
  readonly expected: string | RegExp
  readonly received: string | RegExp
  /** The last that is asked of the server that was connected to. */
  readonly until: string
}

const resourceDocument = '/.well-known/oauth-protected-resource/mcp'
const rows: readonly Row[] = [
  {
    name: 'a challenge that names a document elsewhere',
    spoil: () => {
      server.routes.mcp = {
        status: 401,
        headers: { 'www-authenticate': `Bearer resource_metadata="${elsewhere.origin}${resourceDocument}"` },
      }
    },
    code: 'url_not_allowed',
    expected: /^resource_metadata on http/,
    received: /^$/,
    until: '/mcp',
  },
  {
    name: 'the metadata of another resource',
    spoil: () => {
      const json = { resource: elsewhere.url, authorization_servers: [elsewhere.issuer] }
      server.routes.resourceMetadata = { json }
    },
    code: 'resource_mismatch',
    expected: /path prefix/,
    received: /\/mcp$/,
    until: '/.well-known/oauth-protected-resource',
  },
  {
    name: 'an issuer that the host does not allow',
    spoil: () => lists(server, elsewhere),
    options: () => ({ allowedIssuers: ['https://as.example'] }),
    code: 'issuer_not_expected',
    expected: 'https://as.example',
    received: /^http/,
    until: resourceDocument,
  },
  {
    name: 'metadata of another issuer, whose endpoints are elsewhere',
    spoil: () => {
      server.routes.serverMetadata = withMembers({
        issuer: elsewhere.issuer,
        registration_endpoint: `${elsewhere.origin}/register`,
        authorization_endpoint: `${elsewhere.origin}/authorize`,
        token_endpoint: `${elsewhere.origin}/token`,
      })
    },
    code: 'issuer_mismatch',
    expected: /^http/,
    received: /^http/,
    until: '/.well-known/openid-configuration',
  },
  ...[undefined, ['plain'], []].map((methods) => ({
    name: `PKCE methods ${JSON.stringify(methods) ?? 'that are not said'}`,
    spoil: () => {
      server.routes.serverMetadata = withMembers({ code_challenge_methods_supported: methods })
    },
    code: 'pkce_unsupported',
    expected: /S256/,
    received: methods === undefined ? 'no such member' : methods.join(' '),
    until: '/.well-known/oauth-authorization-server',
  })),
  {
    name: 'a token endpoint without TLS',
    spoil: () => {
      server.routes.serverMetadata = withMembers({ token_endpoint: 'http://as.example/token' })
    },
    code: 'url_not_allowed',
    expected: /^$/,
    received: 'scheme is not https',
    until: '/.well-known/oauth-authorization-server',
  },
  ...[
    ['the issuer of somebody else', 'https://evil.example'],
    ['an issuer that is almost the right one', '/'],
    ['an empty issuer', ''],
  ].map(([name = '', iss = '']) => ({
    name: `an authorization response with ${name}`,
    spoil: () => {
      server.routes.authorize = answeredWith((p) => p.set('iss', iss === '/' ? `${server.issuer}/` : iss))
    },
    code: 'issuer_mismatch',
    expected: /^iss http/,
    received: /^iss /,
    until: '/authorize',
  })),
  {
    name: 'an authorization response without the issuer that was announced',
    spoil: () => {
      server.routes.authorize = answeredWith((p) => p.delete('iss'))
    },
    code: 'issuer_mismatch',
    expected: /^iss http/,
    received: 'no iss',
    until: '/authorize',
  },
  {
    name: 'an authorization response with a wrong issuer that was not announced',
    spoil: () => {
      server.routes.serverMetadata = withMembers({ authorization_response_iss_parameter_supported: undefined })
      server.routes.authorize = answeredWith((p) => p.set('iss', 'https://evil.example'))
    },
    code: 'issuer_mismatch',
    expected: /^iss http/,
    received: 'iss https://evil.example',
    until: '/authorize',
  },
]

describe('what the specification forbids is refused before anything is sent to the wrong place', () => {
  it.each(rows)('$name', async ({ spoil, options, code, expected, received, until }) => {
    spoil()
    const connection = open(createConnector({ userAgent: scriptedAgent(), ...options?.() })).connect(server.url)
    const error = await ping(connection).catch((thrown) => thrown)
    expect(error.code).toBe(code)
    expect(error.expected ?? '').toMatch(expected)
    expect(error.received ?? '').toMatch(received)
    expect(server.requests.at(-1)?.path).toBe(until)
    expect(server.requests.filter(({ path }) => path === '/token')).toEqual([])
    expect(elsewhere.requests).toEqual([])
  })

  it.each(['iss', 'state'])('the error of a response whose %s is wrong is not shown', async (parameter) => {
    server.routes.authorize = answeredWith((p) => {
      p.set(parameter, 'https://evil.example')
      p.delete('code')
      p.set('error', 'call_this_number')
      p.set('error_description', 'and pay')
    })
    const error = await ping(open(createConnector({ userAgent: scriptedAgent() })).connect(server.url)).catch((e) => e)
    expect(error.code).toBe(`${parameter === 'iss' ? 'issuer' : 'state'}_mismatch`)
    expect(error.oauth).toBeUndefined()
    expect(JSON.stringify(error) + error.stack).not.toMatch(/call_this_number|and pay/)
  })
})

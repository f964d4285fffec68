import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, type ScriptedOverride, scriptedAuthorization } from '../../servers/index.js'
import { type Case, expectFailure } from '../../support/bad-input.js'
import { closing } from '../../support/closing.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

const document = '/.well-known/oauth-authorization-server'
const unavailable = { code: 'server_unavailable', step: 'discover', url: document }
const slow = {
  code: 'request_timeout',
  step: 'discover',
  url: document,
  expected: 'within 30000 ms',
  hint: 'requestTimeoutMs',
}

/** The usual document, with these members; undefined leaves one out. */
const withMembers =
  (members: object): ScriptedOverride =>
  (_request, usual) => ({ json: { ...(usual().json as object), ...members } })

/** That no candidate had it, and what the first one had to say. */
const missed = (reason: string) => (at: ScriptedAuthorization) => ({
  code: 'authorization_server_metadata_not_found',
  step: 'discover',
  url: '/',
  received: expect.stringContaining(`${at.origin}${document}: ${reason}`),
  action: 'contact_operator',
})

const unreadable: readonly Case[] = [
  {
    name: 'a page of HTML',
    routes: { serverMetadata: { body: '<html><body>Not here</body></html>' } },
    said: missed('expected a JSON object'),
  },
  { name: '404', routes: { serverMetadata: { status: 404 } }, said: missed('HTTP 404') },
  {
    name: 'truncated JSON',
    routes: { serverMetadata: { body: '{"issuer": "http://12' } },
    said: missed('expected a JSON object'),
  },
  {
    name: 'a list',
    routes: { serverMetadata: { json: ['issuer'] } },
    said: missed('expected a JSON object'),
  },
  {
    name: 'members of null',
    routes: { serverMetadata: { json: { issuer: null, token_endpoint: null } } },
    said: missed('expected issuer'),
  },
  {
    name: 'endpoints of null',
    routes: (at) => ({
      serverMetadata: { json: { issuer: at.issuer, authorization_endpoint: null, token_endpoint: null } },
    }),
    said: missed('expected authorization_endpoint or token_endpoint'),
  },
  {
    name: 'five megabytes',
    routes: { serverMetadata: { body: `{"issuer":"${'x'.repeat(5_000_000)}"}` } },
    said: missed('response_too_large'),
  },
  {
    name: 'a redirect to another origin',
    routes: { serverMetadata: { status: 301, headers: { location: 'https://evil.example/as' } } },
    said: missed('HTTP 301 to https://evil.example/as'),
  },
  { name: '500', routes: { serverMetadata: { status: 500 } }, said: { ...unavailable, received: 'HTTP 500' } },
  { name: '503', routes: { serverMetadata: { status: 503 } }, said: { ...unavailable, received: 'HTTP 503' } },
  {
    name: 'a connection that is cut',
    routes: { serverMetadata: { destroy: true } },
    said: {
      code: 'network_error',
      step: 'discover',
      url: document,
      received: 'fetch failed (UND_ERR_SOCKET)',
    },
  },
  { name: 'silence', routes: { serverMetadata: { hang: true } }, silentAt: document, said: slow },
  {
    name: 'a byte at a time',
    routes: { serverMetadata: { chunks: Array(100).fill(' '), chunkDelayMs: 20 } },
    silentAt: document,
    said: slow,
  },
]

const unusable: readonly Case[] = [
  {
    name: 'another issuer',
    routes: { serverMetadata: withMembers({ issuer: 'https://evil.example' }) },
    said: (at) => ({
      code: 'issuer_mismatch',
      step: 'discover',
      url: document,
      expected: at.issuer,
      received: 'https://evil.example',
      hint: 'compatibility.trustIssuer',
      action: 'contact_operator',
    }),
  },
  {
    name: 'no code_challenge_methods_supported',
    routes: { serverMetadata: withMembers({ code_challenge_methods_supported: undefined }) },
    said: {
      code: 'pkce_unsupported',
      step: 'discover',
      url: '/',
      expected: expect.stringContaining('S256'),
      hint: 'compatibility.assumePkceS256',
      action: 'contact_operator',
    },
    left: ['discovery'],
  },
  {
    name: 'PKCE methods without S256, also where the host vouches for a server that lists none',
    routes: { serverMetadata: withMembers({ code_challenge_methods_supported: ['plain'] }) },
    options: { compatibility: { assumePkceS256: true } },
    said: {
      code: 'pkce_unsupported',
      step: 'discover',
      url: '/',
      expected: expect.stringContaining('S256'),
      received: 'plain',
      hint: 'compatibility.assumePkceS256',
    },
    left: ['discovery'],
  },
  {
    name: 'no token endpoint',
    routes: { serverMetadata: withMembers({ token_endpoint: undefined }) },
    said: {
      code: 'authorization_server_metadata_invalid',
      step: 'discover',
      url: '/',
      expected: 'token_endpoint',
      received: 'none',
    },
    left: ['discovery'],
  },
  {
    name: 'no authorization endpoint',
    routes: { serverMetadata: withMembers({ authorization_endpoint: undefined }) },
    said: {
      code: 'user_agent_unsuitable',
      step: 'register',
      url: '/mcp',
      expected: expect.stringContaining('authorization_endpoint'),
      action: 'fix_configuration',
    },
    left: ['discovery'],
  },
  {
    name: 'no registration endpoint: what to register by hand is said to the letter',
    routes: { serverMetadata: withMembers({ registration_endpoint: undefined }) },
    said: {
      code: 'client_id_required',
      step: 'register',
      url: '/',
      expected: expect.stringMatching(/^registration_endpoint, .* redirect URI http:\/\/127\.0\.0\.1:\d+\/callback/),
      hint: 'client.registered',
      action: 'fix_configuration',
    },
    left: ['discovery'],
  },
  ...['javascript:alert(1)', 'http://evil.example/authorize', 'https://user:pw@as.example/authorize'].map(
    (authorization_endpoint): Case => ({
      name: `an authorization endpoint that no person may be sent to: ${authorization_endpoint}`,
      routes: { serverMetadata: withMembers({ authorization_endpoint }) },
      said: {
        code: 'url_not_allowed',
        step: 'prepare',
        url: expect.any(String) as unknown as string,
        received: expect.stringMatching(/^(scheme is not https|user information in the URL)$/),
        hint: 'allowPrivate',
        action: 'contact_operator',
      },
      left: ['discovery', 'registration'],
    }),
  ),
  {
    name: 'an issuer that the host does not expect',
    routes: {},
    options: { allowedIssuers: ['https://as.example'] },
    said: (at) => ({
      code: 'issuer_not_expected',
      step: 'discover',
      url: '/mcp',
      expected: 'https://as.example',
      received: at.issuer,
      hint: 'allowedIssuers',
      action: 'fix_configuration',
    }),
  },
]

it(
  'OpenID metadata without code_challenge_methods_supported is no better',
  {
    tags: 'mcp-security/pkce-in-openid-metadata',
  },
  () =>
    expectFailure(server, {
      name: 'OpenID',
      routes: ({ issuer }) => ({
        serverMetadata: { status: 404 },
        other: ({ path }) =>
          path === '/.well-known/openid-configuration'
            ? { json: { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` } }
            : undefined,
      }),
      said: { code: 'pkce_unsupported', step: 'discover', url: '/', received: 'no such member' },
      left: ['discovery'],
    }),
)

describe('authorization server metadata that cannot be read', () => {
  it.each(unreadable)('$name', (row) => expectFailure(server, row))
})

describe('authorization server metadata that cannot be used', {
  tags: [
    'mcp-discovery/another-issuer',
    'rfc8414/another-issuer',
    'mcp-security/pkce-verified',
    'mcp-security/pkce-in-oauth-metadata',
    'rfc7636/no-downgrade',
    'mcp/client-id-first',
    'mcp-practices/authorization-url-http',
    'mcp-practices/authorization-url-dangerous',
  ],
}, () => {
  it.each(unusable)('$name', (row) => expectFailure(server, row))
})

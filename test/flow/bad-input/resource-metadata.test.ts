import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { type Case, connect, expectFailure } from '../../support/bad-input.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

const document = '/.well-known/oauth-protected-resource/mcp'
const notFound = {
  code: 'resource_metadata_not_found',
  step: 'discover',
  url: '/mcp',
  hint: 'Authorization header',
  action: 'contact_operator',
}

/** That no candidate had it, and what the first one had to say. */
const missed = (reason: string) => (at: ScriptedAuthorization) => ({
  ...notFound,
  received: expect.stringContaining(`${at.origin}${document}: ${reason}`),
})

const cases: readonly Case[] = [
  {
    name: 'a page of HTML',
    routes: { resourceMetadata: { body: '<!doctype html><title>Welcome</title>' } },
    said: missed('expected a JSON object'),
  },
  { name: '404', routes: { resourceMetadata: { status: 404 } }, said: missed('HTTP 404') },
  {
    name: '401: it asks for authorization itself',
    routes: { resourceMetadata: { status: 401 } },
    said: missed('HTTP 401'),
  },
  {
    name: 'truncated JSON',
    routes: { resourceMetadata: { body: '{"resource": "http://127' } },
    said: missed('expected a JSON object'),
  },
  {
    name: 'nothing at all',
    routes: { resourceMetadata: { body: '' } },
    said: missed('expected a JSON object'),
  },
  {
    name: 'five megabytes',
    routes: { resourceMetadata: { body: `{"resource":"${'x'.repeat(5_000_000)}"}` } },
    said: missed('response_too_large'),
  },
  {
    name: 'a redirect to another origin',
    routes: { resourceMetadata: { status: 302, headers: { location: 'https://evil.example/secret?a=1' } } },
    said: missed('HTTP 302 to https://evil.example/secret'),
  },
  {
    name: 'redirects without end',
    routes: { resourceMetadata: { status: 302, headers: { location: document } } },
    said: (at) => missed(`HTTP 302 to ${at.origin}${document}`)(at),
  },
  {
    name: 'members of null',
    routes: { resourceMetadata: { json: { resource: null, authorization_servers: null } } },
    said: missed('expected resource'),
  },
  {
    name: 'no authorization servers',
    routes: (at) => ({ resourceMetadata: { json: { resource: at.url, authorization_servers: [] } } }),
    said: missed('expected authorization_servers'),
  },
  {
    name: '500',
    routes: { resourceMetadata: { status: 500 } },
    said: {
      code: 'server_unavailable',
      step: 'discover',
      url: document,
      received: 'HTTP 500',
    },
  },
  {
    name: '429',
    routes: { resourceMetadata: { status: 429 } },
    said: {
      code: 'server_unavailable',
      step: 'discover',
      url: document,
      received: 'HTTP 429',
    },
  },
  {
    name: 'a connection that is cut',
    routes: { resourceMetadata: { destroy: true } },
    said: {
      code: 'network_error',
      step: 'discover',
      url: document,
      received: 'fetch failed (UND_ERR_SOCKET)',
    },
  },
  {
    name: 'an answer that breaks off',
    routes: { resourceMetadata: { headers: { 'content-length': '999' }, body: '{"resource":', destroy: true } },
    said: {
      code: 'network_error',
      step: 'discover',
      url: document,
      received: 'terminated (UND_ERR_SOCKET)',
    },
  },
  {
    name: 'silence',
    routes: { resourceMetadata: { hang: true } },
    silentAt: document,
    said: {
      code: 'request_timeout',
      step: 'discover',
      url: document,
      expected: 'within 30000 ms',
      hint: 'requestTimeoutMs',
    },
  },
  {
    name: 'an answer that never ends',
    routes: { resourceMetadata: { body: '{', hang: true } },
    silentAt: document,
    said: {
      code: 'request_timeout',
      step: 'discover',
      url: document,
      expected: 'within 30000 ms',
      hint: 'requestTimeoutMs',
    },
  },
  {
    name: 'another resource',
    routes: (at) => ({
      resourceMetadata: { json: { resource: `${at.origin}/other`, authorization_servers: [at.origin] } },
    }),
    said: (at) => ({
      code: 'resource_mismatch',
      step: 'discover',
      url: document,
      expected: expect.stringContaining(at.url),
      received: `${at.origin}/other`,
    }),
  },
  {
    name: 'a resource at another host',
    routes: (at) => ({
      resourceMetadata: { json: { resource: 'https://evil.example/mcp', authorization_servers: [at.origin] } },
    }),
    said: (at) => ({
      code: 'resource_mismatch',
      step: 'discover',
      url: document,
      expected: expect.stringContaining(at.url),
      received: 'https://evil.example/mcp',
    }),
  },
]

describe('protected resource metadata that cannot be used', {
  tags: ['rfc9728/another-resource', 'mcp/use-resource-metadata'],
}, () => {
  it.each(cases)('$name', (row) => expectFailure(server, row))
})

describe('protected resource metadata that is tolerated', () => {
  it.each<[string, Case['routes'], readonly string[]]>([
    [
      'the root of the server as resource',
      (at) => ({ resourceMetadata: { json: { resource: at.origin, authorization_servers: [at.origin] } } }),
      ['resource_is_prefix'],
    ],
    [
      'a slash at the end of resource',
      (at) => ({ resourceMetadata: { json: { resource: `${at.url}/`, authorization_servers: [at.origin] } } }),
      ['resource_trailing_slash'],
    ],
    [
      'nulls for what is absent',
      (at) => ({
        resourceMetadata: { json: { resource: at.url, authorization_servers: [at.origin], scopes_supported: null } },
      }),
      ['null_member'],
    ],
    [
      'a document at the root alone, when the challenge names another',
      (at) => ({
        resourceMetadata: { status: 404 },
        other: ({ path }) =>
          path === '/.well-known/oauth-protected-resource'
            ? { json: { resource: at.url, authorization_servers: [at.origin] } }
            : undefined,
      }),
      ['resource_metadata_missed'],
    ],
  ])('%s: with a diagnostic, and not where the connector is strict', async (_name, routes, diagnostics) => {
    Object.assign(server.routes, typeof routes === 'function' ? routes(server) : routes)
    const { connection, seen } = connect(server)
    await ping(connection)
    expect(seen.diagnostics.map(({ code }) => code)).toEqual(diagnostics)
    if (diagnostics[0] === 'resource_metadata_missed') return
    await expect(ping(connect(server, { strict: true }).connection)).rejects.toMatchObject({
      code: expect.stringMatching(/^resource_m(ismatch|etadata_invalid)$/),
      step: 'discover',
      url: `${server.origin}${document}`,
    })
  })

  it('a redirect within the origin, without a word', async () => {
    server.routes.resourceMetadata = { status: 302, headers: { location: '/elsewhere' } }
    server.routes.other = ({ path }) =>
      path === '/elsewhere' ? { json: { resource: server.url, authorization_servers: [server.origin] } } : undefined
    const { connection, seen } = connect(server)
    expect((await ping(connection)).status).toBe(200)
    expect(seen.diagnostics).toEqual([])
  })
})

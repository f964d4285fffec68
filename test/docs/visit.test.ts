import { describe, expect, it } from 'vitest'
import {
  type Answer,
  type ScriptableRequest,
  scriptedAuthorization,
  startAuthorizationServer,
  startMcpServer,
  startScriptableServer,
} from '../servers/index.js'
import { type Ended, run, scriptedBrowser, withoutBrowser } from './support.js'

const demo = 'examples/demo/main.ts'

/** An MCP server as small as can be, which knows nothing of OAuth. */
function answerMcp({ method, body }: ScriptableRequest, { tools = ['ping'] } = {}): Answer {
  if (method !== 'POST') return { status: 405 }
  const { id, method: rpc, params } = JSON.parse(body)
  if (id === undefined) return { status: 202 }
  const serverInfo = { name: 'small', version: '2' }
  const results: Readonly<Record<string, unknown>> = {
    initialize: { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo },
    'tools/list': { tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) },
    'tools/call': { content: [{ type: 'text', text: 'not\u001b[31m today' }], isError: true },
  }
  const result = results[rpc]
  return { json: { jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'unknown' } }) } }
}

const notOffered = ({ stdout }: Ended): readonly string[] =>
  [...stdout.matchAll(/^ {2}not offered {2}(.*)$/gm)].map(([, text = '']) => text)

/** The steps of an exchange line are in its second column. */
const steps = ({ stdout }: Ended): readonly string[] =>
  [...stdout.matchAll(/^ +\d+\.\d+ s {2}(\S.*?) +(?:GET|POST|DELETE) /gm)].map(([, step = '']) => step)

describe.skipIf(process.platform !== 'linux')('the demo at a server that it did not start', () => {
  /** Visits, with the scripted person in front of the default browser. */
  async function visit(...args: readonly string[]): Promise<Ended> {
    await using browser = await scriptedBrowser()
    return await run(demo, ['--url', ...args], browser.env)
  }

  it('signs in with the default browser, calls the tool that is named, refreshes and signs out', async () => {
    await using authorizationServer = await startAuthorizationServer()
    await using mcp = await startMcpServer({ authorizationServer })
    const ended = await visit(`${mcp.url}?key=the-secret-of-a-url`, '--tool', 'whoami')
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(/ s {2}server +notes 1\.0\.0\n/)
    expect(ended.stdout).toMatch(/ s {2}tools +3: list_notes, add_note, whoami\n/)
    expect(ended.stdout).toMatch(/ s {2}whoami +alice \(notes:read notes:write\)\n/)
    expect(ended.stdout).toMatch(/ {2}ok {2}refresh requests: 1\n/)
    expect(ended.stdout).toMatch(/ {2}ok {2}the connection is: signed_out\n/)
    expect(ended.stdout).toMatch(/\nDone: \d+ checks passed in \d+\.\d\d s\.\n$/)
    expect(notOffered(ended)).toEqual([])

    const grants = authorizationServer.requests.flatMap(({ grant_type }) => grant_type ?? [])
    expect(grants).toEqual(['authorization_code', 'refresh_token'])
    expect(authorizationServer.requests.filter(({ path }) => path === '/token/revocation')).toHaveLength(2)
    expect([...authorizationServer.errors, ...mcp.errors]).toEqual([])
    // Neither a token, nor a query, of whichever URL.
    expect(ended.stdout).not.toMatch(/eyJ|the-secret-of-a-url|[?&](key|code|state)=/)
  })

  it('hands a tool its arguments; without --tool it calls none', async () => {
    await using authorizationServer = await startAuthorizationServer()
    await using mcp = await startMcpServer({ authorizationServer })
    const named = await visit(mcp.url, '--tool', 'add_note', '--arguments', '{"text":"hello"}', '--json')
    expect(named.code).toBe(0)
    const lines = named.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toContainEqual(expect.objectContaining({ type: 'note', about: 'add_note', text: 'Added: hello' }))

    const unnamed = await visit(mcp.url)
    expect(unnamed.code).toBe(0)
    expect(steps(unnamed).filter((step) => step.startsWith('tools/call'))).toEqual([])
  })

  it('that has no OAuth: no browser is needed, and it says so', async () => {
    await using server = await startScriptableServer((request) =>
      request.path === '/mcp' ? answerMcp(request) : undefined,
    )
    const ended = await run(demo, ['--url', `${server.origin}/mcp`], withoutBrowser())
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' })
    expect(notOffered(ended)).toEqual([
      'sign-in: no OAuth at all: the server lets everybody in, and has no protected resource metadata',
      'refresh: nobody is signed in',
      'sign-out: nobody is signed in',
    ])
    expect(ended.stdout).toMatch(/ s {2}tools +1: ping\n/)
  })

  it('that asks nobody, but would take a login: signs in', async () => {
    await using server = await scriptedAuthorization({
      routes: { mcp: (request) => answerMcp(request, { tools: [] }) },
    })
    const ended = await visit(server.url)
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' })
    expect(notOffered(ended)).toEqual(['tools: the server lists none'])
    expect(ended.stdout).toMatch(/ {2}ok {2}the connection is: signed_in\n/)
    // The access token from before the refresh lives on: nobody knows it any more.
    expect([server.accessTokens.size, server.refreshTokens.size]).toEqual([1, 0])
  })

  it('that issues no refresh token and revokes nothing', async () => {
    await using server = await scriptedAuthorization({
      routes: {
        mcp: (request, usual) => (usual().status === 401 ? usual() : answerMcp(request)),
        token: (_request, usual) => {
          const { refresh_token: _, ...json } = usual().json as { refresh_token: string }
          return { json }
        },
        serverMetadata: (_request, usual) => {
          const { revocation_endpoint: _, ...json } = usual().json as { revocation_endpoint: string }
          return { json }
        },
      },
    })
    const ended = await visit(server.url)
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' })
    expect(notOffered(ended)).toEqual([
      'refresh: the authorization server issued no refresh token',
      'revocation: the authorization server has no revocation endpoint',
    ])
    expect(steps(ended)).toEqual(expect.arrayContaining(['discover', 'register', 'exchange']))
    expect(server.requests.filter(({ path }) => path === '/authorize')).toHaveLength(1)
  })

  it('an error ends it with 1: its message, no stack, and nothing is left signed in', async () => {
    await using server = await scriptedAuthorization({
      routes: { mcp: (request, usual) => (usual().status === 401 ? usual() : answerMcp(request)) },
    })
    const failed = await visit(server.url, '--tool', 'ping')
    expect([failed.code, failed.stderr]).toEqual([1, ''])
    expect(failed.stdout).toMatch(/\n {2}FAILED {2}the tool ping failed: not\?\[31m today\n/)
    expect(failed.stdout).toMatch(/\nNot done: 1 check passed in \d+\.\d\d s, then a step failed\.\n$/)
    expect([server.accessTokens.size, server.refreshTokens.size]).toEqual([0, 0])

    server.routes.serverMetadata = { status: 404 }
    const lost = await visit(`${server.url}?key=the-secret-of-a-url`)
    expect([lost.code, lost.stderr]).toEqual([1, ''])
    expect(lost.stdout).toContain('\n  FAILED  discover: authorization server metadata not found (')
    expect(lost.stdout).not.toContain('the-secret-of-a-url')
  })
})

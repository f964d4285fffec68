import type { Page } from 'playwright'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type ScriptedAuthorization, type ScriptedRoute, scriptedAuthorization } from '../../servers/index.js'
import { approve, outcome, overPages, pages } from '../support/pages.js'

/** What a route lets a page of another origin do. `hidden`: all, but for seeing the challenge. `simple`: no more than a form could. */
type Allowed = 'all' | 'hidden' | 'simple' | 'nothing'

const headersOf = (allowed: Allowed): Record<string, string> => ({
  ...(allowed !== 'nothing' && { 'access-control-allow-origin': '*' }),
  ...(allowed === 'all' && { 'access-control-expose-headers': 'www-authenticate' }),
})

const codes = (tab: Page) => tab.evaluate(() => window.app.events.flatMap(({ diagnostic }) => diagnostic?.code ?? []))
const call = (tab: Page) => tab.evaluate(() => window.app.call())

overPages('a server that lets a page do less than it should', () => {
  const world = pages()
  let server: ScriptedAuthorization
  beforeAll(async () => {
    server = await scriptedAuthorization()
  })
  afterAll(() => server.close())
  beforeEach(() => {
    server.clearRequests()
    server.accessTokens.clear()
    allow({})
  })

  /** Sets what each route allows: all, unless it is named. */
  const allow = (named: Partial<Record<ScriptedRoute, Allowed | ((status: number) => Allowed)>>): void => {
    const routes = ['mcp', 'resourceMetadata', 'serverMetadata', 'register', 'token', 'other'] as const
    for (const route of routes) {
      const rule = named[route] ?? 'all'
      server.routes[route] = (request, usual) => {
        const answer = usual()
        if (request.method !== 'OPTIONS') {
          const allowed = typeof rule === 'string' ? rule : rule(answer.status ?? 200)
          return { ...answer, headers: { ...answer.headers, ...headersOf(allowed) } }
        }
        if (rule === 'simple' || rule === 'nothing') return { status: 405 }
        const headers = {
          'access-control-allow-origin': '*',
          'access-control-allow-headers': 'authorization, content-type',
        }
        return { status: 204, headers }
      }
    }
  }
  const tab = () => world.tab({ url: server.url })
  const signIn = async (page: Page) => {
    await page.click('button')
    return outcome(page)
  }
  const signedIn = { value: { status: 'signed_in' } }
  const origin = () => world.site.origin

  it('keeps its challenge to itself (no Access-Control-Expose-Headers): the well-known URLs are asked, and it works', async () => {
    allow({ mcp: 'hidden' })
    const page = await tab()
    expect(await call(page)).toMatchObject({ code: 'interaction_required' })
    expect(await codes(page)).toContain('challenge_missing')
    expect(await signIn(page)).toMatchObject(signedIn)
    expect(await call(page)).toEqual({ value: 200 })
  })

  it('keeps its challenge to itself, and the metadata is at no well-known URL: the error names the header', async () => {
    allow({ mcp: 'hidden' })
    for (const route of ['resourceMetadata', 'serverMetadata', 'register'] as const) {
      server.routes[route] = { status: 404, headers: headersOf('all') }
    }
    expect(await signIn(await tab())).toMatchObject({
      code: 'resource_metadata_not_found',
      hint: expect.stringContaining('Access-Control-Expose-Headers: WWW-Authenticate'),
    })
  })

  it('sends its 401 without CORS: no network error, but a login that is needed, and everything else works', async () => {
    allow({ mcp: (status) => (status === 401 ? 'nothing' : 'all') })
    const page = await tab()
    expect(await call(page)).toMatchObject({ code: 'interaction_required' })
    expect(await signIn(page)).toMatchObject(signedIn)
    expect(await call(page)).toEqual({ value: 200 })
  })

  it('allows nothing for its MCP requests: said to who has signed in, with the header that is missing', async () => {
    const page = await tab()
    await signIn(page)
    allow({ mcp: 'nothing' })
    expect(await call(page)).toMatchObject({
      code: 'cross_origin_blocked',
      message: expect.stringContaining(`Expected Access-Control-Allow-Origin: ${origin()}, with errors too.`),
      hint: expect.stringMatching(/operator.*oauthFetch/),
    })
    allow({ mcp: 'simple' })
    expect(await call(page)).toMatchObject({
      code: 'cross_origin_blocked',
      message: expect.stringContaining('OPTIONS with Access-Control-Allow-Headers: authorization, content-type.'),
    })
    // Nothing was lost by it.
    allow({})
    expect(await call(page)).toEqual({ value: 200 })
  })

  it('answers for metadata that it does not have without CORS: the next place is asked', async () => {
    server.routes.resourceMetadata = { status: 404 }
    server.routes.other = ({ path }) =>
      path === '/.well-known/oauth-protected-resource'
        ? { headers: headersOf('all'), json: { resource: server.url, authorization_servers: [server.origin] } }
        : undefined
    expect(await signIn(await tab())).toMatchObject(signedIn)
  })

  it.each<[string, 'discover' | 'exchange', Parameters<typeof allow>[0]]>([
    ['the resource metadata', 'discover', { resourceMetadata: 'nothing', other: 'nothing', mcp: 'nothing' }],
    ['the authorization server metadata', 'discover', { serverMetadata: 'nothing', other: 'nothing' }],
    ['the token endpoint', 'exchange', { token: 'nothing' }],
  ])('lets nobody read %s: the error names the header, and where', async (_name, step, allowed) => {
    allow(allowed)
    const page = await tab()
    const said = await signIn(page)
    expect(said).toMatchObject({
      code: 'cross_origin_blocked',
      received: `an answer that ${origin()} may not read, without Access-Control-Allow-Origin`,
    })
    expect((said as { message: string }).message).toMatch(
      new RegExp(
        `^${step}: cross origin blocked \\(${server.origin}/[\\w./-]+\\)\\. Expected Access-Control-Allow-Origin: `,
      ),
    )
    expect(await page.evaluate(() => window.app.status)).toBe('failed')
  })

  it('refuses the preflight of a registration: the error names the header that has to be allowed', async () => {
    allow({ register: 'simple' })
    expect(await signIn(await tab())).toMatchObject({
      code: 'cross_origin_blocked',
      message: expect.stringMatching(/^register: .* OPTIONS with Access-Control-Allow-Headers: content-type\./),
    })
  })

  it('hides the answer to a refresh: the login is kept, the error says why, and it goes on once that is corrected', async () => {
    const page = await tab()
    await signIn(page)
    allow({ token: 'nothing' })
    expect(await page.evaluate(() => window.app.token({ refresh: true }))).toMatchObject({
      code: 'refresh_outcome_unknown',
      received: expect.stringContaining('without Access-Control-Allow-Origin'),
    })
    expect(await call(page)).toEqual({ value: 200 })
  })
})

overPages('a server that is out of reach', () => {
  const world = pages()

  it('is a network error to a login, and what fetch throws to a request', async () => {
    const gone = await scriptedAuthorization()
    await gone.close()
    const page = await world.tab({ url: gone.url })
    expect(await call(page)).toMatchObject({ code: 'none of ours', message: expect.stringContaining('TypeError') })
    await page.click('button')
    expect(await outcome(page)).toMatchObject({ code: 'network_error' })
  })

  it('because the policy of the page forbids it: the same, and nothing is said of the server', async () => {
    await using server = await scriptedAuthorization()
    await world.context.route(`${world.site.origin}/`, async (route) => {
      const response = await route.fetch()
      const headers = { ...response.headers(), 'content-security-policy': "script-src 'self'; connect-src 'self'" }
      await route.fulfill({ response, headers })
    })
    const page = await world.tab({ url: server.url })
    await page.click('button')
    expect(await outcome(page)).toMatchObject({ code: 'network_error' })
    expect(server.requests).toEqual([])
  })

  it('because its request was given up: what the signal says, and nothing more is asked', async () => {
    await using server = await scriptedAuthorization({ routes: { mcp: { hang: true } } })
    const page = await world.tab({ url: server.url })
    const said = page.evaluate(async (url) => {
      const signal = AbortSignal.timeout(300)
      const headers = { accept: 'application/json, text/event-stream' }
      const failed = await window.app.connection?.fetch(url, { signal, headers }).catch((error: unknown) => error)
      return (failed as Error).name
    }, server.url)
    expect(await said).toBe('TimeoutError')
    expect(server.requests.map(({ method }) => method)).not.toContain('HEAD')
  })
})

overPages('a request through a connection that is none of MCP, or goes elsewhere', () => {
  const world = pages()

  it('fails as it would without it', async () => {
    await using elsewhere = await scriptedAuthorization()
    const page = await world.tab()
    const said = page.evaluate(
      (url) =>
        window.app.connection?.fetch(url).then(
          ({ status }) => String(status),
          (error: unknown) => String(error),
        ),
      `${elsewhere.origin}/something`,
    )
    expect(await said).toMatch(/^TypeError/)
    expect(elsewhere.requests.map(({ method }) => method)).toEqual(['GET'])
  })
})

overPages('what a page sends', () => {
  const world = pages()

  it('needs no preflight for metadata and for tokens; for requests to the server and for registration it does', async () => {
    const page = await world.tab()
    expect(await call(page)).toMatchObject({ code: 'interaction_required' })
    await approve(await world.click(page))
    expect(await outcome(page)).toMatchObject({ value: { status: 'signed_in' } })
    expect(await call(page)).toEqual({ value: 200 })
    const seen = [...world.as.requests, ...world.mcp.requests].filter(({ method }) => method === 'OPTIONS')
    expect(new Set(seen.map(({ path }) => path))).toEqual(new Set(['/reg', '/mcp']))
    expect(world.as.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining(['GET /.well-known/oauth-authorization-server', 'POST /token']),
    )
  })
})

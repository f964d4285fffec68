import { type Connector, createConnector, memoryStore, redirect } from '@countersign/browser'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type AuthorizationServer,
  type McpServerUnderTest,
  person,
  startAuthorizationServer,
  startMcpServer,
} from '../servers/index.js'

const redirectUri = 'https://app.example.com/callback?tab=1'
const server = { redirect: true, device: false }
const begin = (options: Partial<Parameters<typeof redirect>[0]> = {}) =>
  redirect({ redirectUri, ...options }).begin({
    url: 'https://mcp.example.com/mcp',
    account: undefined,
    signal: new AbortController().signal,
  })
const page = (authorizationUrl: string) =>
  ({ kind: 'redirect', authorizationUrl, state: 's1', resumed: false }) as const

describe('redirect', () => {
  it('is no agent that a bare fetch may use', () => {
    expect(redirect({ redirectUri }).onDemand).toBe(false)
  })

  it('serves a server with an authorization endpoint, at exactly the given redirect URI', async () => {
    expect(await begin().way(server)).toEqual({ kind: 'redirect', redirectUri })
    expect(await begin().way({ redirect: false, device: true })).toBeUndefined()
  })

  it.each(['/callback', 'app.example.com', 'com.example.app:/callback', 'javascript:alert(1)', `${redirectUri}#here`])(
    'refuses the redirect URI %s',
    { tags: 'mcp-security/redirect-uris' },
    (wrong) => {
      expect(() => redirect({ redirectUri: wrong })).toThrow(expect.objectContaining({ code: 'options_invalid' }))
    },
  )

  it('waits until the page has been told to go, and is parked then', async () => {
    const gone: string[] = []
    const navigate = async (url: string): Promise<void> => {
      await Promise.resolve()
      gone.push(url)
    }
    expect(await begin({ navigate }).present(page('https://as.example.com/authorize?a=b'))).toBe('parked')
    expect(gone).toEqual(['https://as.example.com/authorize?a=b'])
  })

  it.each(['javascript:alert(document.cookie)', 'data:text/html,<p>', 'com.example.app:/', '/authorize', ''])(
    'never goes to %j',
    { tags: ['mcp-practices/authorization-url-http', 'mcp-practices/authorization-url-dangerous'] },
    async (authorizationUrl) => {
      const navigate = vi.fn()
      await expect(begin({ navigate }).present(page(authorizationUrl))).rejects.toMatchObject({
        code: 'url_not_allowed',
        step: 'present',
      })
      expect(navigate).not.toHaveBeenCalled()
    },
  )

  it('shows no device code', async () => {
    const device = { kind: 'device', userCode: 'A', verificationUri: 'https://as.example.com', expiresAt: 0 } as const
    await expect(begin().present(device)).rejects.toMatchObject({ code: 'user_agent_unsuitable', received: 'device' })
  })

  it('says so where there is no page, or where the host cannot navigate', async () => {
    const cause = new Error('no window')
    const navigate = (): never => {
      throw cause
    }
    const away = page('https://as.example.com/authorize')
    await expect(begin({ navigate }).present(away)).rejects.toMatchObject({ code: 'browser_not_opened', cause })
    await expect(begin().present(away)).rejects.toMatchObject({ code: 'browser_not_opened' })
  })

  it('goes by location.assign unless told otherwise', async () => {
    const assign = vi.fn()
    vi.stubGlobal('location', { assign })
    await begin().present(page('https://as.example.com/authorize'))
    expect(assign).toHaveBeenCalledExactlyOnceWith('https://as.example.com/authorize')
  })
})

describe('a sign-in over page loads', () => {
  let authorizationServer: AuthorizationServer
  let mcp: McpServerUnderTest
  beforeAll(async () => {
    authorizationServer = await startAuthorizationServer()
    mcp = await startMcpServer({ authorizationServer })
  })
  afterAll(async () => {
    await Promise.all([authorizationServer.close(), mcp.close()])
    expect([...authorizationServer.errors, ...mcp.errors]).toEqual([])
  })

  const initialize = {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'page', version: '1' } },
    }),
  }

  it('parks in the page that leaves, and is completed by the page that comes back', async () => {
    const store = memoryStore()
    const left: string[] = []
    const load = (): Connector =>
      createConnector({
        appId: 'com.example.app',
        store,
        userAgent: redirect({ redirectUri, navigate: (url) => left.push(url) }),
      })

    // The first page: a request alone takes nobody away, the click does, and the page is gone before it hears more.
    const first = load().connect(mcp.url)
    await expect(first.fetch(mcp.url, initialize)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(left).toEqual([])
    const resolved = vi.fn()
    first.authorize({ appState: { returnTo: '/notes' } }).finally(resolved)
    await vi.waitUntil(() => left.length > 0)
    expect(new URL(left[0]!).searchParams.get('redirect_uri')).toBe(redirectUri)

    // The page at the redirect URI.
    const second = load()
    const href = await person().authorizationResponse(left[0]!)
    const { connection, appState } = await second.completeAuthorization(href)
    expect(appState).toEqual({ returnTo: '/notes' })
    expect(connection.url).toBe(mcp.url)
    expect((await connection.fetch(mcp.url, initialize)).status).toBe(200)
    // Loaded a second time: the same connection, and no code is sent again.
    authorizationServer.clearRequests()
    expect((await second.completeAuthorization(href)).connection).toBe(connection)
    expect(authorizationServer.requests).toEqual([])

    // A third page of the same app is signed in from the start.
    const third = load().connect(mcp.url)
    await third.authorize()
    expect((await third.fetch(mcp.url, initialize)).status).toBe(200)
    expect(left).toHaveLength(1)
    expect(resolved).not.toHaveBeenCalled()
  })

  it('needs a store that outlives the page', async () => {
    const left: string[] = []
    const load = (): Connector =>
      createConnector({
        appId: 'com.example.app',
        store: memoryStore(),
        userAgent: redirect({ redirectUri, navigate: (url) => left.push(url) }),
      })
    void load().connect(mcp.url).authorize()
    await vi.waitUntil(() => left.length > 0)
    const href = await person().authorizationResponse(left[0]!)
    await expect(load().completeAuthorization(href)).rejects.toMatchObject({ code: 'login_not_found' })
  })
})

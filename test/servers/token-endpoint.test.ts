import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AuthorizationServer, type PlainClient, person, plainClient, startAuthorizationServer } from './index.js'

describe("a test's hand on the token endpoint", () => {
  let server: AuthorizationServer
  let client: PlainClient
  let refreshToken: unknown

  beforeAll(async () => {
    server = await startAuthorizationServer()
    client = await plainClient(server.issuer, { resource: 'http://127.0.0.1:3000/mcp' })
  })
  beforeEach(async () => {
    server.tokenEndpoint.intercept = undefined
    server.tokenEndpoint.delayMs = undefined
    refreshToken = (await client.signIn(person())).body.refresh_token
    server.clearRequests()
  })
  afterAll(() => server.close())

  it('answers a request in place of the server, which never sees it', async () => {
    const seen: (string | undefined)[] = []
    server.tokenEndpoint.intercept = ({ grantType, parameters }) => {
      seen.push(grantType)
      expect(parameters.get('refresh_token')).toBe(refreshToken)
      return seen.length === 1 ? { status: 503, json: { error: 'temporarily_unavailable' } } : undefined
    }
    expect(await client.refresh(refreshToken)).toMatchObject({ status: 503 })
    expect(await client.refresh(refreshToken)).toMatchObject({ status: 200 })
    expect(seen).toEqual(['refresh_token', 'refresh_token'])
  })

  it('delays requests', async () => {
    server.tokenEndpoint.delayMs = 50
    const before = Date.now()
    expect(await client.refresh(refreshToken)).toMatchObject({ status: 200 })
    expect(Date.now() - before).toBeGreaterThanOrEqual(49)
  })

  it('holds a request until it lets go', async () => {
    let letGo = (): void => {}
    server.tokenEndpoint.intercept = () =>
      new Promise((resolve) => {
        letGo = () => resolve(undefined)
      })
    const held = client.refresh(refreshToken)
    await expect.poll(() => server.requests).toMatchObject([{ path: '/token', grant_type: 'refresh_token' }])
    expect(server.requests[0]).not.toHaveProperty('status')
    letGo()
    expect(await held).toMatchObject({ status: 200 })
    expect(server.requests[0]).toMatchObject({ status: 200 })
  })

  it('loses an answer: the server has rotated, and the client never hears of it', async () => {
    server.tokenEndpoint.intercept = () => 'lose'
    await expect(client.refresh(refreshToken)).rejects.toThrow('fetch failed')
    server.tokenEndpoint.intercept = undefined
    expect(await client.refresh(refreshToken)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect(server.errors).toEqual([])
  })

  it('cuts a request that the server never saw: the token is as good as before', async () => {
    server.tokenEndpoint.intercept = () => ({ destroy: true })
    await expect(client.refresh(refreshToken)).rejects.toThrow('fetch failed')
    server.tokenEndpoint.intercept = undefined
    expect(await client.refresh(refreshToken)).toMatchObject({ status: 200 })
  })

  it('does not fake a success', async () => {
    server.tokenEndpoint.intercept = () => ({ json: { access_token: 'made-up', token_type: 'Bearer' } })
    await expect(client.refresh(refreshToken)).rejects.toThrow(SyntaxError)
    expect(server.requests).toMatchObject([{ status: 500 }])
    expect(server.errors).toMatchObject([{ message: expect.stringContaining('must come from the real server') }])
  })
})

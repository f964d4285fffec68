import { afterEach, describe, expect, it } from 'vitest'
import {
  type Answer,
  person,
  plainClient,
  type ScriptableServer,
  scriptedAuthorization,
  startScriptableServer,
} from './index.js'

describe('the scriptable server', () => {
  let server: ScriptableServer
  afterEach(() => server.close())

  const answering = async (answer: Answer | undefined): Promise<ScriptableServer> => {
    server = await startScriptableServer(() => answer)
    return server
  }

  it('answers what it is told, and keeps what it was asked', async () => {
    server = await startScriptableServer(({ path, query, body }) => ({
      status: 418,
      headers: { 'x-told': 'yes' },
      json: { path, a: query.get('a'), body },
    }))
    const response = await fetch(`${server.origin}/tea?a=1`, { method: 'POST', body: 'hot' })
    expect(response.status).toBe(418)
    expect(response.headers.get('x-told')).toBe('yes')
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual({ path: '/tea', a: '1', body: 'hot' })
    expect(server.requests).toMatchObject([{ method: 'POST', url: `${server.origin}/tea?a=1`, body: 'hot' }])
    server.clearRequests()
    expect(server.requests).toEqual([])
  })

  it('answers 404 to what nobody has scripted, and 500 where the script throws', async () => {
    const { origin } = await answering(undefined)
    expect((await fetch(origin)).status).toBe(404)
    await server.close()
    server = await startScriptableServer(() => {
      throw new Error('oops')
    })
    expect((await fetch(server.origin)).status).toBe(500)
    expect(server.errors).toEqual([new Error('oops')])
  })

  it('waits', async () => {
    const { origin } = await answering({ delayMs: 50, body: 'late' })
    const before = Date.now()
    expect(await (await fetch(origin)).text()).toBe('late')
    expect(Date.now() - before).toBeGreaterThanOrEqual(49)
  })

  it('streams slowly, for ever if need be', async () => {
    const { origin } = await answering({ chunks: ['a', 'b', 'c'], chunkDelayMs: 10 })
    expect(await (await fetch(origin)).text()).toBe('abc')
    await server.close()
    await answering({ chunks: ['a'], hang: true })
    const reader = (await fetch(server.origin)).body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('a')
    const rest = reader?.read()
    await server.close()
    await expect(rest).rejects.toThrow('terminated')
  })

  it('hangs until it is closed', async () => {
    const { origin } = await answering({ hang: true })
    const pending = expect(fetch(origin)).rejects.toThrow('fetch failed')
    await expect.poll(() => server.requests.length).toBe(1)
    await server.close()
    await pending
  })

  it('cuts the socket, before or in the middle of an answer', async () => {
    const { origin } = await answering({ destroy: true })
    await expect(fetch(origin)).rejects.toThrow('fetch failed')
    await server.close()
    await answering({ headers: { 'content-length': '1000' }, body: '{"issuer":', destroy: true })
    const response = await fetch(server.origin)
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow('terminated')
  })

  it('sends megabytes', async () => {
    const { origin } = await answering({ body: 'x'.repeat(5_000_000) })
    expect((await (await fetch(origin)).text()).length).toBe(5_000_000)
  })
})

describe('the scripted authorization', () => {
  const paths = { authorization: '/authorize', token: '/token', registration: '/register', revocation: '/revoke' }

  it('is consistent from the challenge to the revocation', async () => {
    await using server = await scriptedAuthorization()
    const call = (token: unknown): Promise<Response> =>
      fetch(server.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'ping' }),
      })

    const challenge = (await fetch(server.url)).headers.get('www-authenticate')
    const metadataUrl = /resource_metadata="([^"]+)"/.exec(challenge ?? '')?.[1]
    expect(await (await fetch(metadataUrl ?? '')).json()).toEqual({
      resource: server.url,
      authorization_servers: [server.issuer],
    })
    const client = await plainClient(server.issuer, { resource: server.url, paths })
    const { status, body } = await client.signIn(person())
    expect(status).toBe(200)
    expect(await (await call(body.access_token)).json()).toEqual({ jsonrpc: '2.0', id: 7, result: {} })

    const refreshed = await client.refresh(body.refresh_token)
    expect(refreshed.status).toBe(200)
    expect(await client.refresh(body.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    await client.revoke(refreshed.body.access_token)
    expect((await call(refreshed.body.access_token)).status).toBe(401)
  })

  it('lets a test override a route, at the start or later, with the usual answer at hand', async () => {
    await using server = await scriptedAuthorization({ routes: { serverMetadata: { status: 500, body: 'down' } } })
    const metadata = `${server.issuer}/.well-known/oauth-authorization-server`
    expect((await fetch(metadata)).status).toBe(500)
    server.routes.serverMetadata = (_request, usual) => {
      const { json } = usual()
      return { json: { ...(json as object), issuer: 'https://mallory.example' } }
    }
    expect(await (await fetch(metadata)).json()).toMatchObject({
      issuer: 'https://mallory.example',
      token_endpoint: `${server.origin}/token`,
    })
    delete server.routes.serverMetadata
    expect(await (await fetch(metadata)).json()).toMatchObject({ issuer: server.issuer })
    server.routes.other = ({ path }) => (path === '/elsewhere' ? { body: 'here' } : undefined)
    expect(await (await fetch(`${server.origin}/elsewhere`)).text()).toBe('here')
    expect((await fetch(`${server.origin}/nowhere`)).status).toBe(404)
  })
})

import { inspect } from 'node:util'
import { type ConnectorOptions, createConnector, memoryStore, staticHeaders, staticToken } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'
import { recordingFetch } from '../../support/sent.js'

describe('what stands in for OAuth', () => {
  const open = closing()

  async function connect(credentials: ConnectorOptions['credentials'] & object, good = 'good') {
    const server = open(await scriptedAuthorization())
    server.accessTokens.add(good)
    const out = recordingFetch()
    const store = memoryStore()
    const connection = open(createConnector({ credentials, store, fetch: out.fetch })).connect(server.url)
    const sent = () => out.sent.map(({ headers }) => headers.get('authorization'))
    return { server, connection, sent, store }
  }

  it('a token goes out as a bearer token, and nothing is discovered or stored', async () => {
    const { server, connection, sent, store } = await connect(staticToken('good'))
    expect((await ping(connection)).status).toBe(200)
    expect(sent()).toEqual(['Bearer good'])
    expect(server.requests.map(({ path }) => path)).toEqual(['/mcp'])
    expect(await store.keys('')).toEqual([])
    expect(await connection.token()).toEqual({ accessToken: 'good', tokenType: 'Bearer' })
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
  })

  it('headers go out beside those of the request', async () => {
    const { server, connection } = await connect(staticHeaders({ 'x-api-key': 'k', authorization: 'Bearer good' }))
    await ping(connection)
    expect(server.requests[0]?.headers).toMatchObject({ 'x-api-key': 'k', 'content-type': 'application/json' })
  })

  it('a supplier is asked once, and again when the server refuses what it gave', async () => {
    const given = ['stale', 'good']
    let asked = 0
    const supply = async (): Promise<string> => {
      asked++
      return given.shift() ?? 'good'
    }
    const { connection, sent } = await connect(staticToken(supply))
    await ping(connection)
    await ping(connection)
    expect(sent()).toEqual(['Bearer stale', 'Bearer good', 'Bearer good'])
    expect(asked).toBe(2)
  })

  it.each([
    ['a fixed token', staticToken('bad'), 1],
    ['a supplier that gives the same again', staticToken(async () => 'bad'), 1],
    ['a supplier whose second token is refused too', staticToken(counting()), 2],
    ['headers', staticHeaders({ 'x-api-key': 'bad' }), 1],
  ])('%s that is refused says so, and where to correct it', async (_name, credentials, times) => {
    const { server, connection, sent } = await connect(credentials)
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'header_rejected',
      action: 'fix_configuration',
      hint: expect.stringContaining('staticToken() or staticHeaders()'),
    })
    expect(sent()).toHaveLength(times)
    expect(server.requests.every(({ path }) => path === '/mcp')).toBe(true)
    expect(connection.getSnapshot().error).toMatchObject({ code: 'header_rejected' })
  })

  it.each([
    ['a token with a line break', staticToken('planted\nsecret')],
    ['a token in quotation marks of a word processor', staticToken(async () => '”planted”')],
    ['a header with a line break', staticHeaders({ 'x-api-key': 'planted\nsecret' })],
  ])('%s is no header: that is said, and nothing of it is shown', async (_name, credentials) => {
    const { server, connection } = await connect(credentials)
    const errors = await Promise.all([ping(connection), connection.token()].map((call) => call.catch((error) => error)))
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'options_invalid', action: 'fix_configuration' })
      expect(inspect(error, { depth: 9 })).not.toContain('planted')
    }
    expect(server.requests).toEqual([])
  })

  it('another origin gets none of it', async () => {
    const { connection } = await connect(staticToken('good'))
    const other = open(await scriptedAuthorization())
    await connection.fetch(other.url)
    expect(other.requests[0]?.headers.authorization).toBeUndefined()
  })

  it('a body that cannot be sent twice is not, and the next request has the new token', async () => {
    const given = ['stale', 'good']
    const { connection, sent } = await connect(staticToken(async () => given.shift() ?? 'good'))
    const body = new Blob(['{"jsonrpc":"2.0","id":1,"method":"ping"}']).stream()
    await expect(ping(connection, { body, duplex: 'half' } as RequestInit)).rejects.toMatchObject({
      code: 'request_not_replayable',
    })
    expect((await ping(connection)).status).toBe(200)
    expect(sent()).toEqual(['Bearer stale', 'Bearer good'])
  })

  it('the legacy SSE transport, which would reconnect for ever, gets the 401 itself', async () => {
    const { connection } = await connect(staticToken('bad'))
    expect((await ping(connection, { cache: 'no-store' })).status).toBe(401)
  })

  it('a supplier that fails is named, and asked again by the next request', async () => {
    const cause = new TypeError('locked')
    const outcomes: (() => Promise<string>)[] = [() => Promise.reject(cause), async () => 'good']
    const { connection } = await connect(staticToken(async () => (await outcomes.shift()?.()) ?? ''))
    await expect(ping(connection)).rejects.toMatchObject({ code: 'options_invalid', cause })
    expect((await ping(connection)).status).toBe(200)
  })

  it('token() has nothing to give where the headers are no bearer token', async () => {
    const { connection } = await connect(staticHeaders({ 'x-api-key': 'k' }))
    await expect(connection.token()).rejects.toMatchObject({ code: 'options_invalid' })
  })
})

/** A supplier that never gives the same twice. */
function counting(): () => Promise<string> {
  let asked = 0
  return async () => `bad-${++asked}`
}

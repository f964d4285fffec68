import { Readable } from 'node:stream'
import { createConnector } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

const text = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
const bytes = (): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

function form(): FormData {
  const data = new FormData()
  data.set('message', text)
  data.set('file', new Blob([text]), 'ping.json')
  return data
}

async function* generator() {
  yield bytes()
}

/** What happens between the request that is refused and the one that is not. */
const between = ['a login', 'a refresh'] as const

/** A connection that is not signed in, or whose access token was revoked. */
async function connect(way: (typeof between)[number]) {
  const agent = scriptedAgent()
  const connection = open(createConnector({ userAgent: agent })).connect(server.url)
  if (way === 'a refresh') {
    await connection.authorize()
    server.accessTokens.clear()
  }
  server.clearRequests()
  const post = (body: unknown): Promise<Response> =>
    connection.fetch(server.url, { method: 'POST', body, duplex: 'half' } as RequestInit)
  return { connection, post, agent }
}

/** The bodies that the MCP server was sent, and how the tokens were had. */
const arrived = (): readonly string[] => sentTo('/mcp')
const grants = (): readonly (string | null)[] =>
  sentTo('/token').map((body) => new URLSearchParams(body).get('grant_type'))
const sentTo = (where: string): readonly string[] =>
  server.requests.filter(({ path }) => path === where).map(({ body }) => body)

const cases = <T>(bodies: readonly (readonly [string, T])[]): readonly (readonly [string, string, T])[] =>
  bodies.flatMap(([name, body]) => between.map((way) => [name, way, body] as const)) as never

describe('a body that can be read again: the request goes out whole a second time', () => {
  it.each(
    cases<() => BodyInit>([
      ['a string', () => text],
      ['URLSearchParams', () => new URLSearchParams({ message: text })],
      ['a Blob', () => new Blob([text])],
      ['an ArrayBuffer', () => bytes().buffer],
      ['a typed array', bytes],
      ['a DataView', () => new DataView(bytes().buffer)],
      ['a Buffer', () => Buffer.from(text)],
      ['FormData', form],
    ]),
  )('%s, after %s', async (_name, way, body) => {
    const { post } = await connect(way as (typeof between)[number])
    expect((await post(body())).ok).toBe(true)
    const [first = '', second = '', ...more] = arrived()
    expect(more).toEqual([])
    expect(unbounded(second)).toBe(unbounded(first))
    expect(decodeURIComponent(second.replaceAll('+', ' '))).toContain(text)
  })

  it.each(between)('no body at all, after %s', async (way) => {
    const { connection } = await connect(way)
    const answer = connection.fetch(server.url, { method: 'PUT' })
    expect((await answer).status).toBe(202)
    expect(arrived()).toEqual(['', ''])
  })

  /** A multipart body without its boundary, which is another one each time it is sent. */
  const unbounded = (body: string): string => body.replaceAll(/^-+(?:form)?[\w-]+\r?$/gim, '--')
})

describe('a body that is gone once it was read: the request is never sent again without it', () => {
  it.each(
    cases<() => unknown>([
      ['an async generator', generator],
      ['a Readable of Node', () => Readable.from([Buffer.from(text)])],
      ['a ReadableStream', () => new Blob([text]).stream()],
    ]),
  )('%s, after %s: which has happened, so that another try gets through', async (_name, way, body) => {
    const { post, agent } = await connect(way as (typeof between)[number])
    await expect(post(body())).rejects.toMatchObject({ code: 'request_not_replayable', step: 'authorize' })
    expect(arrived()).toEqual([text])
    expect(grants()).toEqual([way === 'a login' ? 'authorization_code' : 'refresh_token'])

    expect((await post(body())).status).toBe(200)
    expect(arrived()).toEqual([text, text])
    expect(agent.begun).toBe(1)
  })
})

describe('a host that passes Request objects', () => {
  const request = (): Request => new Request(server.url, { method: 'POST', body: text })

  it.each(between)(
    'with a body: the first one says that it cannot be sent again, after %s; the second gets through',
    async (way) => {
      const { connection, agent } = await connect(way)
      await expect(connection.fetch(request())).rejects.toMatchObject({
        code: 'request_not_replayable',
        url: server.url,
      })
      expect(grants()).toEqual([way === 'a login' ? 'authorization_code' : 'refresh_token'])
      for (let time = 0; time < 2; time++) expect((await connection.fetch(request())).status).toBe(200)
      expect(grants()).toHaveLength(1)
      expect(agent.begun).toBe(1)
    },
  )

  it.each(between)('without a body: it goes out again, after %s', async (way) => {
    const { connection } = await connect(way)
    expect((await connection.fetch(new Request(server.url, { method: 'PUT' }))).status).toBe(202)
  })

  it('with a body that is given beside it: it goes out again', async () => {
    const { connection } = await connect('a login')
    expect((await connection.fetch(request(), { body: text })).status).toBe(200)
    expect(arrived()).toEqual([text, text])
  })
})

describe('a DELETE, which ends a session', () => {
  it('opens no page', async () => {
    const { connection, agent } = await connect('a login')
    const ended = connection.fetch(server.url, { method: 'DELETE' })
    await expect(ended).rejects.toMatchObject({ code: 'interaction_required' })
    expect(agent.begun).toBe(0)
  })

  it('is answered for where no person is needed', async () => {
    const { connection, agent } = await connect('a refresh')
    expect((await connection.fetch(server.url, { method: 'DELETE' })).status).toBe(202)
    expect((await ping(connection)).status).toBe(200)
    expect(agent.begun).toBe(1)
  })
})

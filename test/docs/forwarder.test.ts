import { type IncomingHttpHeaders, request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type Answer,
  type ScriptableServer,
  startAuthorizationServer,
  startScriptableServer,
} from '../servers/index.js'
import { startForwarder } from '../support/forwarder.js'
import { run } from './support.js'

/** What came back, as it was on the wire. */
interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** The query as it is written, in place of the target. */
  readonly query?: string
}

const closing: (() => PromiseLike<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

/** Runs the forwarder, and asks it as a browser would. */
async function forwarder(allow: readonly string[], addresses = '127.0.0.1') {
  const started = await startForwarder(allow, addresses)
  closing.push(() => started[Symbol.asyncDispose]())
  const { port } = started
  return (target: string, { method = 'GET', headers, body, query }: Sent = {}): Promise<Got> =>
    new Promise((resolve, reject) => {
      const path = query ?? `/?url=${encodeURIComponent(target)}`
      const sent = request({ port, host: '127.0.0.1', method, path, headers: { ...fromOurScript, ...headers } })
      sent.on('error', reject).on('response', async (incoming) => {
        let text = ''
        for await (const chunk of incoming) text += chunk
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text })
      })
      sent.end(body)
    })
}

/** What a browser says of a `fetch` by a script of the same origin. */
const fromOurScript = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

async function upstream(
  answer: Answer | ((path: string) => Answer) = { json: { ok: true } },
): Promise<ScriptableServer> {
  const server = await startScriptableServer(({ path }) => (typeof answer === 'function' ? answer(path) : answer))
  closing.push(server.close)
  return server
}

describe('what examples/forwarder.ts forwards', () => {
  it('a listed GET, with its status, body and what it says of caching', async () => {
    const server = await upstream({ status: 203, json: { a: 1 }, headers: { 'cache-control': 'max-age=60' } })
    const ask = await forwarder([`GET ${server.origin}/metadata`])
    expect(await ask(`${server.origin}/metadata`)).toMatchObject({
      status: 203,
      text: '{"a":1}',
      headers: {
        'content-type': 'application/json',
        'cache-control': 'max-age=60',
        'x-content-type-options': 'nosniff',
      },
    })
  })

  it('a listed POST, with its type and body, to a real authorization server', async () => {
    await using as = await startAuthorizationServer()
    const ask = await forwarder([`POST ${as.issuer}/token`])
    const body = 'grant_type=refresh_token&refresh_token=none&client_id=nobody'
    const { status, text } = await ask(`${as.issuer}/token`, { method: 'POST', headers: form, body })
    expect([status, JSON.parse(text)]).toMatchObject([401, { error: 'invalid_client' }])
    expect(as.requests).toMatchObject([{ path: '/token', grant_type: 'refresh_token' }])
  })

  it('an error of the server, with when to come back', async () => {
    const server = await upstream({ status: 503, headers: { 'retry-after': '7' } })
    const ask = await forwarder([`GET ${server.origin}/metadata`])
    expect(await ask(`${server.origin}/metadata`)).toMatchObject({ status: 503, headers: { 'retry-after': '7' } })
  })
})

describe('what examples/forwarder.ts keeps back', () => {
  it('every URL that is not on the list to the letter', async () => {
    const server = await upstream()
    const { origin } = server
    const { host } = new URL(origin)
    const ask = await forwarder([`GET ${origin}/a/b`])
    const near = [
      `${origin}/a`,
      `${origin}/a/b/`,
      `${origin}/a/b/c`,
      `${origin}/a/b?x=1`,
      `${origin}/a/b#x`,
      `${origin}/a/../a/b`,
      `${origin}/a//b`,
      `${origin}/a/%62`,
      `${origin}/A/b`,
      `${origin}\\a\\b`,
      `${origin}/a/b\r\nx: y`,
      ` ${origin}/a/b`,
      `http://user@${host}/a/b`,
      `http://${host}@evil.example/a/b`,
      `HTTP://${host}/a/b`,
      `http://localhost:${new URL(origin).port}/a/b`,
      `http://2130706433:${new URL(origin).port}/a/b`,
      'file:///etc/passwd',
      'http://169.254.169.254/latest/meta-data/',
      '',
      'constructor',
    ]
    for (const url of near) expect([url, (await ask(url)).status]).toEqual([url, 403])
    const twice = `/?url=${encodeURIComponent(`${origin}/a/b`)}&url=${encodeURIComponent('http://10.0.0.1/')}`
    for (const query of ['/', '/?', twice]) expect((await ask('', { query })).status).toBe(403)
    expect(server.requests).toEqual([])
    expect((await ask(`${origin}/a/b`)).status).toBe(200)
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])('%s where GET is listed', async (method) => {
    const server = await upstream()
    const ask = await forwarder([`GET ${server.origin}/a`])
    expect((await ask(`${server.origin}/a`, { method, headers: form })).status).toBe(403)
    expect(server.requests).toEqual([])
  })

  it.each([
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a page of a sibling', { 'sec-fetch-site': 'same-site' }],
    ['an address that somebody typed', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    ['a link in a page of its own', { 'sec-fetch-mode': 'navigate' }],
    ['who does not say', { 'sec-fetch-site': '' }],
  ])('the request of %s', async (_name, headers) => {
    const server = await upstream()
    const ask = await forwarder([`GET ${server.origin}/a`])
    expect((await ask(`${server.origin}/a`, { headers })).status).toBe(403)
    expect(server.requests).toEqual([])
  })

  it('cookies, credentials and every other header, on the way out and on the way back', async () => {
    const server = await upstream({
      json: {},
      headers: {
        'set-cookie': 'session=stolen',
        'access-control-allow-origin': '*',
        'clear-site-data': '"*"',
        refresh: '0;url=//evil.example',
        link: '<//evil.example>; rel=preload',
        location: '//evil.example',
      },
    })
    const ask = await forwarder([`POST ${server.origin}/token`])
    const hostile = {
      cookie: 'a=b',
      authorization: 'Bearer x',
      'x-forwarded-for': '10.0.0.1',
      forwarded: 'for=1',
      te: 'trailers',
    }
    const { headers } = await ask(`${server.origin}/token`, {
      method: 'POST',
      headers: { ...form, ...hostile },
      body: 'a=b',
    })
    expect(Object.keys(server.requests[0]?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'content-length',
      'content-type',
      'host',
    ])
    for (const name of [
      'set-cookie',
      'access-control-allow-origin',
      'clear-site-data',
      'refresh',
      'link',
      'location',
    ]) {
      expect(headers).not.toHaveProperty(name)
    }
  })

  it.each([
    ['another type', { 'content-type': 'text/xml' }, 'a', 415],
    ['no type', {}, 'a', 415],
    ['a type with more in it', { 'content-type': 'application/json; boundary=x' }, '{}', 415],
    ['a body that is too large', form, 'a'.repeat(65_537), 413],
    ['one that does not say how large it is', { ...form, 'transfer-encoding': 'chunked' }, 'a'.repeat(1_000_000), 413],
  ])('a POST of %s', async (_name, headers, body, status) => {
    const server = await upstream()
    const ask = await forwarder([`POST ${server.origin}/token`])
    expect((await ask(`${server.origin}/token`, { method: 'POST', headers, body })).status).toBe(status)
    expect(server.requests).toEqual([])
  })

  it('a GET with a body', async () => {
    const server = await upstream()
    const ask = await forwarder([`GET ${server.origin}/a`])
    expect((await ask(`${server.origin}/a`, { headers: { 'content-length': '1' }, body: 'a' })).status).toBe(400)
    expect(server.requests).toEqual([])
  })

  it.each([301, 302, 303, 307, 308])('a redirect (%i), and where it leads is not asked', async (status) => {
    const server = await upstream((path) => (path === '/a' ? { status, headers: { location: '/secret' } } : {}))
    const ask = await forwarder([`GET ${server.origin}/a`, `GET ${server.origin}/secret`])
    expect((await ask(`${server.origin}/a`)).status).toBe(502)
    expect(server.requests.map(({ path }) => path)).toEqual(['/a'])
  })

  it.each<[string, Answer]>([
    ['larger than a document can be', { body: 'a'.repeat(1_048_577) }],
    ['without an end', { chunks: endless() }],
    ['compressed, so that nobody knows how large it is', { body: 'x', headers: { 'content-encoding': 'gzip' } }],
    ['cut off', { body: 'a', headers: { 'content-length': '9' }, destroy: true }],
    ['none at all', { destroy: true }],
  ])('an answer that is %s', async (_name, answer) => {
    const server = await upstream(answer)
    const ask = await forwarder([`GET ${server.origin}/a`])
    const { status, text } = await ask(`${server.origin}/a`)
    expect([status, text.length < 100]).toEqual([502, true])
  })

  it('an answer that does not come in time', async () => {
    const server = await upstream((path) => (path === '/silent' ? { hang: true } : { body: 'a', hang: true }))
    const ask = await forwarder([`GET ${server.origin}/silent`, `GET ${server.origin}/slow`])
    const answers = await Promise.all([ask(`${server.origin}/silent`), ask(`${server.origin}/slow`)])
    expect(answers.map(({ status }) => status)).toEqual([502, 502])
  })

  it('a page or a script: what comes is a text, in a sandbox', async () => {
    const server = await upstream({ body: '<script>alert(1)</script>', headers: { 'content-type': 'text/html' } })
    const ask = await forwarder([`GET ${server.origin}/a`])
    expect((await ask(`${server.origin}/a`)).headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    })
  })

  it('what is listed and leads inside, by its address or by its name', async () => {
    const server = await upstream()
    const { port } = new URL(server.origin)
    const urls = [
      `http://127.0.0.1:${port}/a`,
      `http://localhost:${port}/a`,
      `https://localhost:${port}/a`,
      'https://10.1.2.3/a',
      'https://172.31.0.1/a',
      'https://192.168.1.1/a',
      'https://100.100.0.1/a',
      'https://169.254.169.254/a',
      'https://0.0.0.0/a',
      'https://198.18.0.1/a',
      'https://255.255.255.255/a',
      'https://[::1]/a',
      'https://[::]/a',
      'https://[::ffff:a00:1]/a',
      'https://[64:ff9b::a00:1]/a',
      'https://[2002:a00:1::]/a',
      'https://[fd00::1]/a',
      'https://[fe80::1]/a',
    ]
    const ask = await forwarder(
      urls.map((url) => `GET ${url}`),
      '',
    )
    for (const url of urls)
      expect([url, await ask(url)]).toMatchObject([url, { status: 403, text: 'Not a public address.' }])
    expect(server.requests).toEqual([])
  })

  it.each([
    'GET http://as.example.com/token',
    'GET http://localhost.example.com/token',
    'GET https://as.example.com/token?x=1',
    'GET https://user@as.example.com/token',
    'GET https://AS.example.com/token',
    'GET https://as.example.com',
    'PUT https://as.example.com/token',
    'GET ftp://as.example.com/',
    '*',
  ])('a list that nobody should write: %s', async (line) => {
    const { code, stderr } = await run('examples/forwarder.ts', ['0', line])
    expect([code, stderr]).toEqual([1, expect.stringContaining('TypeError')])
  })
})

async function* endless(): AsyncGenerator<string> {
  for (;;) yield 'a'.repeat(65_536)
}

import { describe, expect, test } from 'vitest'
import { recordingFetch } from '../../support/sent.js'
import { door } from './door.js'

const from = 'https://as.example/.well-known/oauth-authorization-server'

/** A server that answers every request with the next of these, and the last one for ever. */
function redirecting(...locations: readonly (string | undefined)[]) {
  let at = 0
  return recordingFetch(async () => {
    const location = locations[Math.min(at++, locations.length - 1)]
    return location === undefined
      ? new Response('{"here":true}')
      : new Response(null, { status: 302, headers: { location } })
  })
}

describe('the redirects of a document', () => {
  test('are followed within the origin, and the answer says where it came from', async () => {
    const { fetch, sent } = redirecting('/elsewhere', 'https://as.example/at-last', undefined)
    const answer = await door(fetch).send({ method: 'GET', url: from })
    expect(answer).toMatchObject({ url: 'https://as.example/at-last', status: 200, text: '{"here":true}' })
    expect(sent.map(({ url }) => url.pathname)).toEqual([new URL(from).pathname, '/elsewhere', '/at-last'])
  })

  test.each([
    ['https://evil.example/metadata?secret=1', 'https://evil.example/metadata'],
    ['http://as.example/metadata', 'http://as.example/metadata'],
    ['https://as.example:8443/metadata', 'https://as.example:8443/metadata'],
    ['//evil.example/', 'https://evil.example/'],
    ['http://[', 'an unknown place'],
  ])('are not followed to another origin: %s', { tags: 'mcp-practices/ssrf-redirects' }, async (location, place) => {
    const { fetch, sent } = redirecting(location)
    await expect(door(fetch).send({ step: 'discover', method: 'GET', url: from })).rejects.toMatchObject({
      code: 'redirect_refused',
      step: 'discover',
      url: from,
      expected: 'at most 3 redirects within the origin, of a GET',
      received: `HTTP 302 to ${place}`,
    })
    expect(sent).toHaveLength(1)
  })

  test('are followed three times, not for ever', async () => {
    const { fetch, sent } = redirecting('/again')
    await expect(door(fetch).send({ method: 'GET', url: from })).rejects.toMatchObject({ code: 'redirect_refused' })
    expect(sent).toHaveLength(4)
  })

  test('that a browser hides are refused', async () => {
    const opaque = Object.defineProperty(new Response(), 'type', { value: 'opaqueredirect' })
    const { send } = door(async () => opaque)
    await expect(send({ method: 'GET', url: from })).rejects.toMatchObject({ code: 'redirect_refused' })
  })

  test('304 is an answer', async () => {
    const { send } = door(async () => new Response(null, { status: 304 }))
    expect(await send({ method: 'GET', url: from })).toMatchObject({ status: 304 })
  })
})

test.each([301, 302, 303, 307, 308])(
  'a POST follows no redirect, not even within the origin: it carries secrets (HTTP %i)',
  { tags: 'mcp-practices/ssrf-redirects' },
  async (status) => {
    const { fetch, sent } = recordingFetch(async () => new Response(null, { status, headers: { location: '/token2' } }))
    await expect(door(fetch).send({ body: 'refresh_token=secret' })).rejects.toMatchObject({
      code: 'redirect_refused',
      step: 'exchange',
      url: 'https://as.example/token',
      expected: 'at most 3 redirects within the origin, of a GET',
      received: `HTTP ${status} to https://as.example/token2`,
    })
    expect(sent).toHaveLength(1)
  },
)

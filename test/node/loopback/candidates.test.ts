import { describe, expect, it } from 'vitest'
import { candidatesFor, checkPort } from '../../../packages/node/src/loopback/candidates.js'
import { parseRedirectUri, redirectUri } from '../../../packages/node/src/loopback/redirect-uri.js'

const row = [50_001, 50_002, 50_003, 50_004]
const server = { redirect: true, device: false }

describe('the ports that a login may listen on', () => {
  it('are those of the row, then any', () => {
    expect(candidatesFor(server, row)).toMatchObject({
      host: '127.0.0.1',
      path: '/callback',
      ports: row,
      ephemeral: true,
    })
  })

  it('are none where the server has no redirect', () => {
    expect(candidatesFor({ redirect: false, device: true }, row)).toBeUndefined()
  })

  it('begin with those that are registered, for this host and path', () => {
    const registeredRedirectUris = [
      'http://localhost:50009/callback',
      'http://127.0.0.1:50003/callback',
      'http://127.0.0.1:50008/other',
      'http://127.0.0.1:50007/callback',
      'https://127.0.0.1:50006/callback',
      'http://192.0.2.1:50005/callback',
      'myapp://callback',
      'nonsense',
    ]
    expect(candidatesFor({ ...server, registeredRedirectUris }, row)?.ports).toEqual([
      50_003, 50_007, 50_001, 50_002, 50_004,
    ])
    expect(candidatesFor({ ...server, registeredRedirectUris, redirectHost: 'localhost' }, row)?.ports).toEqual([
      50_009,
      ...row,
    ])
  })

  it('are one port where the exception for a server fixes it', () => {
    const fixed = candidatesFor({ ...server, redirectHost: 'localhost', redirectPort: 3118 }, row)
    expect(fixed).toMatchObject({ host: 'localhost', ports: [3118], ephemeral: false })
    expect(fixed?.hint).toMatch(/3118/)
  })

  it('are the one of the page that is open, when a login is taken over', () => {
    const resume = { redirectUri: 'http://localhost:50042/callback', state: 's1' }
    expect(candidatesFor({ ...server, resume, redirectPort: 3118 }, row)).toMatchObject({
      host: 'localhost',
      ports: [50_042],
      ephemeral: false,
      state: 's1',
    })
  })

  it('are none for a login that comes back to somewhere else', () => {
    const resume = { redirectUri: 'https://app.example/callback', state: 's1' }
    expect(candidatesFor({ ...server, resume }, row)).toBeUndefined()
  })

  it.each([
    [{ redirectHost: '0.0.0.0' }, 'redirectHost'],
    [{ redirectHost: 'example.com' }, 'redirectHost'],
    [{ redirectPort: 0 }, 'redirectPort'],
    [{ redirectPort: 70_000 }, 'redirectPort'],
  ])('refuses %j', { tags: 'mcp-security/redirect-uris' }, (option, name) => {
    expect(() => candidatesFor({ ...server, ...option }, row)).toThrow(
      expect.objectContaining({ code: 'options_invalid', step: 'present', hint: `Correct ${name}.` }),
    )
  })

  it('refuses what is not a port, naming the option', () => {
    expect(checkPort('ports', 1)).toBe(1)
    expect(() => checkPort('ports', 1.5)).toThrow(expect.objectContaining({ code: 'options_invalid', received: '1.5' }))
  })
})

describe('a loopback redirect URI', () => {
  it.each(['http://127.0.0.1:1/callback', 'http://localhost:65535/a/b', 'http://[::1]:80/callback'])(
    'is read back to the letter: %s',
    (uri) => expect(redirectUri(parseRedirectUri(uri)!)).toBe(uri),
  )

  it.each([
    'http://127.0.0.1:1/callback?x=1',
    'http://127.0.0.1:1/callback#x',
    'http://u@127.0.0.1:1/callback',
    'http://127.1:1/callback',
    'http://localhost/callback',
    'http://localhost:0/callback',
    'http://localhost.example:1/callback',
    'https://localhost:1/callback',
  ])('is not %s', (uri) => expect(parseRedirectUri(uri)).toBeUndefined())
})

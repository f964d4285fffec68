import { createConnector, memoryStore } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { kindsIn } from '../../support/stored.js'
import { followRedirect, scriptedAgent } from '../../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

/** Signs in with a browser that brings back something else than the server has sent. */
async function comingBackWith(change: (parameters: URLSearchParams) => unknown) {
  const store = memoryStore()
  const agent = scriptedAgent({
    browser: async (url) => {
      const parameters = await followRedirect(url)
      if (typeof parameters !== 'string') change(parameters)
      return parameters
    },
  })
  const connector = open(createConnector({ store, userAgent: agent }))
  const connection = connector.connect(server.url)
  const error = await connection.authorize().then(
    () => expect.unreachable('the login should have failed'),
    (thrown) => thrown,
  )
  return { error, agent, store, connection, connector }
}

const own = 'http://127.0.0.1:1/callback'
const again = 'Sign in again.'

describe('an authorization response that is not the one that was asked for', () => {
  it.each<[string, (p: URLSearchParams) => unknown, object]>([
    [
      'another state',
      (p) => p.set('state', 'guessed'),
      {
        code: 'state_mismatch',
        url: own,
        received: 'another state',
        action: 'sign_in',
        hint: expect.stringContaining('state'),
      },
    ],
    ['no state', (p) => p.delete('state'), { code: 'state_mismatch', url: own, received: 'no state' }],
    ['an empty state', (p) => p.set('state', ''), { code: 'state_mismatch', received: 'no state' }],
    [
      'two states',
      (p) => p.append('state', 'x'),
      { code: 'authorization_response_invalid', expected: expect.stringMatching(/^state (.* )?once/), hint: again },
    ],
    [
      'another issuer',
      (p) => p.set('iss', 'https://evil.example'),
      {
        code: 'issuer_mismatch',
        url: own,
        expected: expect.stringContaining('iss http://127.0.0.1'),
        received: 'iss https://evil.example',
        action: 'contact_operator',
      },
    ],
    ['no issuer, although it is announced', (p) => p.delete('iss'), { code: 'issuer_mismatch', received: 'no iss' }],
    ['an empty issuer', (p) => p.set('iss', ''), { code: 'issuer_mismatch', received: 'iss ' }],
    [
      'no code',
      (p) => p.delete('code'),
      { code: 'authorization_response_invalid', expected: 'code or error', received: 'neither', hint: again },
    ],
    [
      'two codes',
      (p) => p.append('code', 'x'),
      {
        code: 'authorization_response_invalid',
        expected: expect.stringMatching(/^code (.* )?once/),
        received: '2 times',
      },
    ],
    [
      'access_denied',
      (p) => p.set('error', 'access_denied'),
      {
        code: 'access_denied',
        url: expect.stringMatching(/\/authorize$/),
        oauth: { error: 'access_denied' },
        action: 'sign_in',
        hint: expect.stringContaining('Sign in again'),
      },
    ],
    [
      'another error, with a text that means harm',
      (p) => {
        p.set('error', 'server_error')
        p.set('error_description', '\u001b[2J\u202e<script>')
      },
      {
        code: 'authorization_rejected',
        oauth: { error: 'server_error', error_description: '\\u001b[2J\\u202e<script>' },
        action: 'contact_operator',
      },
    ],
    [
      'an error that somebody else sent: it is not shown',
      (p) => {
        p.set('error', 'call_this_number')
        p.set('state', 'guessed')
      },
      { code: 'state_mismatch', message: expect.not.stringContaining('call_this_number') },
    ],
  ])(
    '%s: nothing is sent, nothing is left, the page says that it failed',
    {
      tags: [
        'mcp/validate-iss',
        'mcp-security/state',
        'rfc9207/compared',
        'rfc9207/mismatch',
        'rfc9207/missing',
        'rfc6749/csrf',
        'rfc6749/sanitize-input',
        'rfc8252/state-checked',
      ],
    },
    async (_name, change, said) => {
      const { error, agent, store, connection } = await comingBackWith(change)
      expect(error).toMatchObject({ step: 'authorize', ...said })
      expect(server.requests.filter(({ path }) => path === '/token')).toEqual([])
      expect(await kindsIn(store)).toEqual(['discovery', 'registration'])
      expect(agent.ends).toEqual([{ ok: false, error }])
      expect(connection.getSnapshot()).toMatchObject({ status: 'failed', error })
    },
  )

  it('a response that comes a second time finds nothing', async () => {
    const store = memoryStore()
    let seen = new URLSearchParams()
    const agent = scriptedAgent({
      browser: async (url) => {
        const parameters = await followRedirect(url)
        if (typeof parameters !== 'string') seen = parameters
        return parameters
      },
    })
    const connector = open(createConnector({ store, userAgent: agent }))
    await connector.connect(server.url).authorize()
    server.clearRequests()
    // Of a login that this process has completed: the connection, and nothing is sent again.
    await expect(connector.completeAuthorization(seen)).resolves.toMatchObject({ appState: undefined })
    expect(server.requests).toEqual([])
  })
})

describe('a user agent that does not keep its word', () => {
  it('throws: the login ends, with what it threw as the cause', async () => {
    const broken = new Error('no window')
    const { error, agent, store } = await failingWith(() => Promise.reject(broken))
    expect(error).toMatchObject({ code: 'unexpected', cause: broken, action: 'contact_operator' })
    expect(agent.ends).toEqual([{ ok: false, error }])
    expect(await kindsIn(store)).toEqual(['discovery', 'registration'])
  })

  it('shows a page, and brings nothing back', async () => {
    const { error } = await failingWith(async () => 'shown')
    expect(error).toMatchObject({ code: 'user_agent_unsuitable', step: 'present', action: 'fix_configuration' })
  })

  it('brings back what has nothing to do with it', async () => {
    const { error } = await failingWith(async () => new URLSearchParams('a=1'))
    expect(error).toMatchObject({ code: 'state_mismatch' })
  })

  it('fails to close its page: the outcome stands, with a diagnostic', async () => {
    const agent = scriptedAgent()
    const codes: (string | undefined)[] = []
    const connector = open(
      createConnector({
        log: ({ diagnostic }) => codes.push(diagnostic?.code),
        userAgent: {
          onDemand: true,
          begin: (request) => ({ ...agent.begin(request), end: () => Promise.reject(new Error('stuck')) }),
        },
      }),
    )
    expect(await connector.connect(server.url).authorize()).toMatchObject({ status: 'signed_in' })
    expect(codes).toContain('user_agent_end_failed')
  })

  async function failingWith(browser: () => Promise<URLSearchParams | 'shown'>) {
    const store = memoryStore()
    const agent = scriptedAgent({ browser })
    const connection = open(createConnector({ store, userAgent: agent })).connect(server.url)
    const error = await connection.authorize().catch((thrown) => thrown)
    return { error, agent, store }
  }
})

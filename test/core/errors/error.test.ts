import { inspect } from 'node:util'
import { CountersignError } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { publicUrl, quoteForeign, withoutSecrets } from '../../../packages/core/src/errors/text.js'

const failure = {
  step: 'exchange',
  url: 'https://user:pw@as.example/token?code=secret#part',
  expected: 'a JSON object',
  received: 'markup',
}

describe('an error', () => {
  test('says step, what happened, where, what was expected, what came, and what to do, in one line', () => {
    expect(new CountersignError('token_response_invalid', failure).message).toBe(
      `exchange: token response invalid (https://as.example/token). Expected a JSON object. Received markup. Report this to the operator of the server.`,
    )
    expect(
      new CountersignError('token_request_rejected', {
        step: 'refresh',
        url: 'https://as.example/token',
        oauth: { error: 'invalid_grant', error_description: 'Token has been revoked' },
      }).message,
    ).toBe(
      `refresh: token request rejected (https://as.example/token). The server says "invalid_grant: Token has been revoked". Sign in again.`,
    )
    expect(new CountersignError('connector_closed', { step: 'connect' }).message).toBe(
      `connect: connector closed. Create a new connector.`,
    )
  })

  test('has all of it in members, for a program', () => {
    const error = new CountersignError('server_unavailable', { ...failure, retryAt: 1_000, cause: new Error('why') })
    expect({ ...error }).toEqual({
      name: 'CountersignError',
      code: 'server_unavailable',
      step: 'exchange',
      url: 'https://as.example/token',
      expected: 'a JSON object',
      received: 'markup',
      hint: 'Try again later: nothing that was granted is lost.',
      action: 'retry_at',
      retryAt: 1_000,
    })
    expect(error.cause).toEqual(new Error('why'))
  })

  test('what does not apply is not there', () => {
    expect(Object.keys(new CountersignError('connector_closed', { step: 'connect' })).sort()).toEqual([
      'action',
      'code',
      'hint',
      'name',
      'step',
    ])
  })

  test('survives JSON, without stack and cause', () => {
    const interaction = { url: 'https://mcp.example/mcp', account: 'a', reason: 'no_login' } as const
    const error = new CountersignError('interaction_required', { step: 'authorize', interaction, cause: 'why' })
    const json = JSON.parse(JSON.stringify(error))
    expect(json).toMatchObject({ code: 'interaction_required', step: 'authorize', interaction, message: error.message })
    expect(json).not.toHaveProperty('stack')
    expect(json).not.toHaveProperty('cause')
  })

  test('may say more precisely than its code what to do, and who', () => {
    const error = new CountersignError('client_forgotten', { step: 'exchange', hint: 'Do that.', action: 'retry_at' })
    expect(error).toMatchObject({ hint: 'Do that.', action: 'retry_at' })
    expect(error.message).toMatch(/ Do that\.$/)
  })

  test('is known as one, also from another copy of the package', () => {
    const error = new CountersignError('unexpected', { step: 'login' })
    expect(error).toBeInstanceOf(Error)
    expect(CountersignError.is(error)).toBe(true)
    class CopyOfIt extends Error {
      override readonly name = 'CountersignError'
      readonly code = 'unexpected'
      readonly hint = 'h'
    }
    expect(CountersignError.is(new CopyOfIt())).toBe(true)
    for (const other of [undefined, null, 'x', new Error('x'), { name: 'CountersignError', code: 'x', hint: 'y' }]) {
      expect(CountersignError.is(other)).toBe(false)
    }
  })

  test('goes through the MCP client 2.x as itself: it has the mark that says so, where nobody sees it', () => {
    const error = new CountersignError('interaction_required', { step: 'authorize' })
    expect(Reflect.get(error, Symbol.for('mcp.authSeamEscape'))).toBe(true)
    expect(Object.getOwnPropertySymbols({ ...error })).toEqual([])
  })
})

describe('text from outside', { tags: 'rfc6749/sanitize-input' }, () => {
  const hostile = 'a\u0000\u001b[31m\r\nred\u202etfel\u200b\u2066\ufeff\u007f\u0085'

  test('is escaped where it could steer a terminal, a log or the direction of reading', () => {
    expect(quoteForeign(hostile)).toBe(
      'a\\u0000\\u001b[31m\\u000d\\u000ared\\u202etfel\\u200b\\u2066\\ufeff\\u007f\\u0085',
    )
    expect(quoteForeign('héllo „ünïcode“ 漢字 😀')).toBe('héllo „ünïcode“ 漢字 😀')
  })

  test('is capped', () => {
    expect(quoteForeign('x'.repeat(10_000)).length).toBeLessThan(600)
  })

  test('is escaped and capped wherever an error carries it', () => {
    const text = `${hostile}${'y'.repeat(10_000)}`
    const error = new CountersignError('authorization_rejected', {
      step: 'authorize',
      url: `https://as.example/${encodeURIComponent(hostile)}`,
      expected: text,
      received: text,
      oauth: { error: text, error_description: text },
    })
    for (const shown of [error.message, JSON.stringify(error), inspect({ ...error }), String(error)]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
      expect(shown.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b\u202e\u2066\ufeff]/)
      expect(shown.length).toBeLessThan(6_000)
    }
    expect(error.message).not.toContain('\n')
  })
})

describe('a URL in an error', () => {
  test.each([
    ['https://as.example/token?code=secret', 'https://as.example/token'],
    ['https://user:pw@as.example/token#access_token=secret', 'https://as.example/token'],
    ['https://as.example', 'https://as.example/'],
    ['not a url?code=secret', 'not a url'],
    ['/relative?code=secret#x', '/relative'],
  ])('%s becomes %s', (url, shown) => {
    expect(publicUrl(url)).toBe(shown)
    expect(new CountersignError('url_not_allowed', { step: 'discover', url }).url).toBe(shown)
  })
})

describe('what was sent in confidence', () => {
  test('is left out where somebody repeats it, encoded or not', () => {
    const said = 'bad token s+cret/token, as in token=s%2Bcret%2Ftoken'
    expect(withoutSecrets(said, ['s+cret/token', undefined])).toBe('bad token …, as in token=…')
  })

  test('does not take words out of a sentence', () => {
    expect(withoutSecrets('a code is a code', ['a', 'code', ''])).toBe('a code is a code')
  })
})

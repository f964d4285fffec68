import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseOAuthError } from '../../../packages/core/src/messages/oauth-error.js'
import {
  parseTokenResponse,
  salvageRefreshToken,
  toTokens,
} from '../../../packages/core/src/messages/token-response.js'
import { codesOf, mustRead } from './unwrap.js'

const parseText = (text: string, status = 200) => parseTokenResponse({ status, text })
const parse = (body: unknown, status = 200) => parseText(JSON.stringify(body), status)
const least = { access_token: 'secret-1', token_type: 'Bearer' }

describe('a token response (RFC 6749 section 5.1)', () => {
  test('in full; an id_token is of no interest', { tags: 'rfc6749/ignore-unknown-tokens' }, () => {
    const response = { ...least, expires_in: 3600, refresh_token: 'secret-2', scope: 'a b' }
    expect(parse({ ...response, id_token: null, more: 1 })).toEqual({ value: response, tolerated: [] })
  })

  test('as a form (F01)', () => {
    const parsed = parseText('access_token=secret-1&scope=gist%2Cnotifications&token_type=bearer')
    expect(mustRead(parsed)).toEqual({ ...least, scope: 'gist,notifications' })
    expect(codesOf(parsed)).toEqual(['token_response_form_encoded'])
  })

  test.each([201, 202])('with status %d is tolerated (L17)', (status) => {
    const parsed = parse(least, status)
    expect(mustRead(parsed)).toEqual(least)
    expect(codesOf(parsed)).toEqual(['token_response_status'])
  })

  describe('token_type', () => {
    test.each([
      ['bearer', 'Bearer'],
      ['BEARER', 'Bearer'],
    ])('%s is %s: the header needs one spelling (F04)', (token_type, expected) => {
      const parsed = parse({ ...least, token_type })
      expect(mustRead(parsed).token_type).toBe(expected)
      expect(codesOf(parsed)).toEqual([])
    })

    test.each([undefined, null, ''])('%j is Bearer, with a diagnostic (F05)', (token_type) => {
      const parsed = parse({ ...least, token_type })
      expect(mustRead(parsed).token_type).toBe('Bearer')
      expect(codesOf(parsed)).toEqual(['token_type_missing'])
    })

    test.each(['DPoP', 'mac', 'N_A', 'user', 'constructor', 1, {}, ['bearer']])(
      '%j is refused (F05)',
      { tags: 'rfc6749/token-type' },
      (token_type) => {
        expect(parse({ ...least, token_type })).toMatchObject({ invalid: { expected: 'token_type Bearer' } })
      },
    )
  })

  test.each(['BearerX', 'XBearer', ['Bearer'], { bearer: 'Bearer' }, 'N_A'])(
    'a token_type of %j is refused',
    (token_type) => {
      expect(parse({ ...least, token_type })).toMatchObject({ invalid: { expected: 'token_type Bearer' } })
    },
  )

  describe('issued_token_type, of an exchange (RFC 8693 section 2.2.1)', () => {
    const wanted = 'urn:ietf:params:oauth:token-type:id-jag'
    const exchanged = (members: object) =>
      parseTokenResponse({ status: 200, text: JSON.stringify({ ...least, ...members }) }, wanted)

    test.each(['N_A', 'n_a', 'Bearer'])(
      'is the one that was asked for, whatever the token is used as: %s',
      (token_type) => {
        const parsed = exchanged({ issued_token_type: wanted, token_type })
        expect(mustRead(parsed)).toMatchObject({ issued_token_type: wanted, access_token: 'secret-1' })
      },
    )

    test.each([undefined, null, '', 'urn:ietf:params:oauth:token-type:access_token', [wanted]])(
      'is another one, and the token is not used: %j',
      (issued_token_type) => {
        const received = JSON.stringify(issued_token_type) ?? 'none'
        expect(exchanged({ issued_token_type })).toEqual({
          invalid: { expected: `issued_token_type ${wanted}`, received },
        })
      },
    )

    test.each(['N_AX', 'XN_A', 'XBearer', 'BearerX', 'DPoP'])('with a token_type of %s is refused', (token_type) => {
      const parsed = exchanged({ issued_token_type: wanted, token_type })
      expect(parsed).toMatchObject({ invalid: { expected: 'token_type Bearer' } })
    })
  })

  describe('token_type, where a key was proven (RFC 9449 section 5)', () => {
    const bind = (token_type: unknown, binding: 'possible' | 'required') =>
      parseTokenResponse({ status: 200, text: JSON.stringify({ ...least, token_type }) }, undefined, binding)

    test.each(['DPoP', 'dpop', 'DPOP'])('%j is DPoP', (token_type) => {
      for (const binding of ['possible', 'required'] as const) {
        expect(mustRead(bind(token_type, binding)).token_type).toBe('DPoP')
      }
    })

    test.each(['Bearer', undefined, null, ''])('%j is Bearer, unless it has to be bound', (token_type) => {
      expect(mustRead(bind(token_type, 'possible')).token_type).toBe('Bearer')
      expect(bind(token_type, 'required')).toMatchObject({ invalid: { expected: 'token_type DPoP' } })
    })

    test.each(['mac', 'N_A', ['dpop'], { dpop: 1 }, 'dpopX', 'Xdpop'])('%j is refused', (token_type) => {
      expect(bind(token_type, 'possible')).toMatchObject({ invalid: { expected: 'token_type Bearer' } })
    })
  })

  describe('access_token', () => {
    test.each([
      [undefined, 'nothing'],
      [null, 'null'],
      ['', '""'],
      [7, 'number'],
    ])('%j is none (F03, L62)', (access_token, received) => {
      expect(parse({ ...least, access_token })).toEqual({ invalid: { expected: 'access_token: a string', received } })
    })

    test.each(['secret\r\nX-Injected: 1', 'secret\u0000', 'sécret', 'secret\t'])(
      '%j cannot be sent in a header',
      (access_token) => {
        const parsed = parse({ ...least, access_token })
        expect(parsed).toMatchObject({ invalid: { received: 'other characters' } })
        expect(JSON.stringify(parsed)).not.toContain('cret')
      },
    )
  })

  describe('expires_in', () => {
    test('as a string is its number (F06)', () => {
      const parsed = parse({ ...least, expires_in: '5250' })
      expect(mustRead(parsed).expires_in).toBe(5250)
      expect(codesOf(parsed)).toEqual(['expires_in_not_a_number'])
    })

    test('0 is expired now, not never (F07)', () => {
      expect(mustRead(parse({ ...least, expires_in: 0 })).expires_in).toBe(0)
    })

    test.each(['3600abc', null, -1, '', '9'.repeat(400), 1e15, { toString: 1 }])(
      '%j is unknown (F07)',
      (expires_in) => {
        const parsed = parse({ ...least, expires_in })
        expect(mustRead(parsed)).toEqual(least)
        expect(codesOf(parsed)).toEqual(['expires_in_not_a_number'])
      },
    )

    test('absent is unknown, without a diagnostic (F08)', () => {
      expect(parse(least)).toEqual({ value: least, tolerated: [] })
    })
  })

  test.each([null, ''])('a refresh_token and a scope of %j are absent (F10, G01)', (value) => {
    const parsed = parse({ ...least, refresh_token: value, scope: value })
    expect(mustRead(parsed)).toEqual(least)
    expect(codesOf(parsed)).toEqual(['null_member', 'null_member'])
  })

  test('a scope in an array is joined', () => {
    expect(mustRead(parse({ ...least, scope: ['a', 'b'] })).scope).toBe('a b')
  })

  test('never throws, and tells no token but in its value', () => {
    const canary = 'canary-7f3a'
    const value = fc.oneof(
      fc.constantFrom<unknown>(canary, [canary], { a: canary }, `${canary}\n`, null, ''),
      fc.jsonValue(),
    )
    const name = fc.constantFrom('access_token', 'refresh_token', 'expires_in', 'scope', 'id_token', 'error')
    const body = fc
      .dictionary(name, value)
      .chain((object) =>
        fc.constantFrom(
          JSON.stringify(object),
          `access_token=&refresh_token=${canary}`,
          canary,
          `<html>${canary}`,
          `[${canary}`,
        ),
      )
    fc.assert(
      fc.property(body, fc.constantFrom(200, 201, 400), (text, status) => {
        const { value: _, ...told } = { value: undefined, ...parseText(text, status) }
        expect(JSON.stringify(told)).not.toContain(canary)
      }),
      { numRuns: 500 },
    )
  })
})

describe('the refresh token of a response that is otherwise not usable', () => {
  test('is kept: the old one may be worthless by now', () => {
    expect(salvageRefreshToken('{"refresh_token":"r2","token_type":"mac"}')).toBe('r2')
    expect(salvageRefreshToken('refresh_token=r2')).toBe('r2')
    // Broken off behind it: the token itself is whole.
    expect(salvageRefreshToken('{"access_token":"a2","refresh_token": "r-2.~","scope":"no')).toBe('r-2.~')
  })

  test.each([
    '',
    'no',
    '{}',
    '[]',
    '{"refresh_token":""}',
    '{"refresh_token":1}',
    '{"refresh_token":"r',
    '{"refresh_token":"r\\"',
  ])('is not in %j', (text) => {
    expect(salvageRefreshToken(text)).toBeUndefined()
  })
})

describe('tokens as they are kept', () => {
  test('expire at a point in time (F09)', () => {
    const response = {
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 60,
      refresh_token: 'r',
      scope: 's',
      issued_at: 1_000,
    } as const
    expect(toTokens(response)).toEqual({
      access_token: 'a',
      token_type: 'Bearer',
      refresh_token: 'r',
      scope: 's',
      issued_at: 1_000,
      expires_at: 61_000,
    })
  })

  test('expired on arrival, or never known to expire', () => {
    const kept = { access_token: 'a', token_type: 'Bearer', issued_at: 1_000 } as const
    expect(toTokens({ ...kept, expires_in: 0 })).toEqual({ ...kept, expires_at: 1_000 })
    expect(toTokens(kept)).toEqual(kept)
  })

  test('nothing else is kept', () => {
    const wide = Object.assign({}, { access_token: 'a', token_type: 'Bearer', issued_at: 0 } as const, {
      id_token: 'x',
    })
    expect(toTokens(wide)).not.toHaveProperty('id_token')
  })
})

describe('an OAuth error (RFC 6749 section 5.2)', () => {
  test.each([
    [
      '{"error":"invalid_grant","error_description":"gone","error_uri":"x"}',
      { error: 'invalid_grant', error_description: 'gone' },
    ],
    ['{"error":"invalid_grant","error_description":null}', { error: 'invalid_grant' }],
    [
      'error=bad_verification_code&error_description=The+code+is+wrong',
      { error: 'bad_verification_code', error_description: 'The code is wrong' },
    ],
  ])('%s', (text, error) => {
    expect(parseOAuthError(text)).toEqual(error)
  })

  test.each([
    '',
    'Forbidden',
    '<html>error=x',
    '{}',
    '{"error":""}',
    '{"error":{"code":1}}',
    '{"message":"no"}',
    '["error"]',
    'null',
  ])('%j is none', (text) => {
    expect(parseOAuthError(text)).toBeUndefined()
  })

  test('reading never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (text) => void parseOAuthError(text)))
  })
})

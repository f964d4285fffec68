import { describe, expect, test } from 'vitest'
import { type Grant, type GrantEvent, grant } from '../../../packages/core/src/flow/grant.js'
import { client, granted, request, target, tokens } from './login-fixtures.js'

const lease = { id: 'L', holder: 'p1', taken_at: 1, lasts_ms: 90_000, sent: true } as const
const valid: Grant = { phase: 'valid', grant: 'g', granted, turn: 3, got: 2, lease }
const signOut = { type: 'signed_out', lease: { id: 'M', holder: 'p1', taken_at: 1, lasts_ms: 90_000 } } as const
const refreshed = (more: object): GrantEvent => ({
  type: 'refreshed',
  turn: 3,
  id: 'L',
  grant: 'g',
  from: granted,
  tokens: { access_token: 'a2', token_type: 'Bearer', issued_at: 9, ...more },
})
const tokensAfter = (...events: readonly GrantEvent[]) => {
  const after = events.reduce(grant, valid)
  return after.phase === 'absent' ? undefined : after.granted.tokens
}

describe('the tokens of a grant', () => {
  test('a refresh that omits refresh_token and scope keeps those it had (RFC 6749 sections 5.1 and 6)', () => {
    expect(tokensAfter(refreshed({}))).toEqual({
      access_token: 'a2',
      token_type: 'Bearer',
      refresh_token: 'r1',
      scope: 'read',
      issued_at: 9,
    })
  })

  test('a refresh that omits expires_in leaves the expiry unknown: the old one was of the old token', () => {
    expect(tokensAfter(refreshed({}))).not.toHaveProperty('expires_at')
  })

  test('a rotated refresh token and a narrowed scope replace those it had', () => {
    expect(tokensAfter(refreshed({ refresh_token: 'r2', scope: 'less' }))).toMatchObject({
      refresh_token: 'r2',
      scope: 'less',
    })
  })

  test('a refresh that was rejected leaves the access token where it is', () => {
    expect(tokensAfter({ type: 'rejected', id: 'L', grant: 'g', got: 2 })).toEqual(tokens)
  })
})

describe('a sign-out', () => {
  const signingOut = grant(valid, signOut)
  const signedOut = grant(signingOut, { type: 'revoked', id: 'M', refresh_tokens: [], tried: ['r1'] })

  test('leaves nothing but what is to be revoked, and where', () => {
    expect(signedOut).toEqual({ phase: 'absent', turn: 4, got: 4, replaced: [{ refresh_token: 'r1', target, client }] })
  })

  test('has a lease while it revokes, also what comes meanwhile, so that a login waits for it', () => {
    expect(signingOut.lease).toEqual({ ...signOut.lease, sent: true })
    const more = grant(signingOut, refreshed({ refresh_token: 'r2' }))
    const still = grant(more, { type: 'revoked', id: 'M', refresh_tokens: ['r1'], tried: ['r1'] })
    expect(still).toMatchObject({ lease: { id: 'M' }, replaced: [{ refresh_token: 'r2' }] })
    const done = grant(still, { type: 'revoked', id: 'M', refresh_tokens: ['r2'], tried: ['r1', 'r2'] })
    expect(done).toEqual({ phase: 'absent', turn: 4, got: 4 })
  })

  test('stays one when a refresh that was under way comes back: its token is only kept to be revoked', () => {
    expect(grant(signedOut, refreshed({ refresh_token: 'r2' }))).toMatchObject({
      phase: 'absent',
      replaced: [{ refresh_token: 'r1' }, { refresh_token: 'r2', target, client }],
    })
  })

  test('stays one when a login that was under way comes back', () => {
    const late: GrantEvent = { type: 'granted', turn: 3, id: 'L', grant: 'h', granted }
    expect(grant(signedOut, late)).toMatchObject({ phase: 'absent', turn: 4 })
  })

  test('is forgotten by a login that began after it', () => {
    const leased = grant(signedOut, { type: 'leased', lease })
    const after = grant(leased, { type: 'granted', turn: leased.turn, id: 'L', grant: 'h', granted })
    expect(after).toMatchObject({ phase: 'valid', grant: 'h', turn: 5, got: 5 })
    expect(after).not.toHaveProperty('lease')
  })

  test('drops what is under way: the lease, the doubt, the pause', () => {
    const troubled = { ...valid, unanswered: 2, retry_at: 9 }
    const after = grant(grant(troubled, signOut), { type: 'revoked', id: 'M', refresh_tokens: [], tried: ['r1'] })
    for (const gone of ['lease', 'unanswered', 'retry_at', 'grant', 'granted']) expect(after).not.toHaveProperty(gone)
  })
})

describe('a login over a login', () => {
  const other = { ...granted, request: { ...request, scope: 'more' }, tokens: { ...tokens, refresh_token: 'n' } }
  const login: GrantEvent = { type: 'granted', turn: 4, id: 'L', grant: 'h', granted: other }

  test('keeps the refresh token that it replaces for the sign-out, with the server that it came from', () => {
    expect(grant(valid, login)).toMatchObject({ grant: 'h', replaced: [{ refresh_token: 'r1', target, client }] })
  })

  test('is not undone by a refresh that came in before it, of the login that it found', () => {
    const after = grant({ ...valid, turn: 6, got: 6 }, { ...login, was: 'g' })
    expect(after).toMatchObject({ grant: 'h', turn: 6, got: 4, replaced: [{ refresh_token: 'r1' }] })
  })

  test('is undone by a login that began after it: its token goes to be revoked', () => {
    const after = grant({ ...valid, grant: 'later', turn: 6, got: 6 }, { ...login, was: 'g' })
    expect(after).toMatchObject({ grant: 'later', replaced: [{ refresh_token: 'n' }] })
  })

  test('keeps nothing where the server gave the same refresh token again', () => {
    expect(grant(valid, { ...login, granted })).not.toHaveProperty('replaced')
  })

  test('twenty times over keeps the last sixteen, each once', () => {
    const again = (state: Grant, n: number): Grant => {
      const tokens = { ...other.tokens, refresh_token: `n${n}` }
      return grant(state, { ...login, turn: 4 + n, grant: `h${n}`, granted: { ...other, tokens } })
    }
    const after = Array.from({ length: 20 }, (_, n) => n).reduce(again, valid)
    const expected = Array.from({ length: 16 }, (_, n) => `n${n + 3}`)
    expect(after.replaced?.map((r) => r.refresh_token)).toEqual(expected)
  })

  test('is not undone by a refresh of the login before: its token goes to be revoked', () => {
    const after = grant(grant(valid, login), refreshed({ refresh_token: 'r2' }))
    expect(after).toMatchObject({ grant: 'h', granted: { tokens: { refresh_token: 'n' } } })
    expect(after.replaced?.map((r) => r.refresh_token)).toEqual(['r1', 'r2'])
  })

  test('ends a spent one, and the doubts about it', () => {
    const spent: Grant = { ...valid, phase: 'spent', unanswered: 1, retry_at: 9 }
    const after = grant(spent, login)
    expect(after.phase).toBe('valid')
    expect(after).not.toHaveProperty('unanswered')
    expect(after).not.toHaveProperty('retry_at')
  })
})

describe('a request that may have been committed without an answer', () => {
  test('is counted when the lease that sent it is replaced', () => {
    expect(grant(valid, { type: 'leased', lease: { ...lease, id: 'M' } })).toMatchObject({ unanswered: 1, turn: 4 })
  })

  test('is not counted when the lease had sent nothing', () => {
    const { sent: _, ...unsent } = lease
    expect(grant({ ...valid, lease: unsent }, { type: 'leased', lease })).not.toHaveProperty('unanswered')
  })

  test('is forgotten once there are new tokens', () => {
    const troubled: Grant = { ...valid, unanswered: 1, retry_at: 9 }
    const after = grant(troubled, refreshed({ refresh_token: 'r2' }))
    for (const gone of ['lease', 'unanswered', 'retry_at']) expect(after).not.toHaveProperty(gone)
  })
})

test('what was revoked is struck off, the rest waits for the next try', { tags: 'rfc7009/still-there-on-503' }, () => {
  const two: Grant = {
    phase: 'absent',
    turn: 4,
    got: 4,
    replaced: ['r1', 'r2'].map((refresh_token) => ({ refresh_token, target, client })),
  }
  const revoked = { type: 'revoked', id: 'L', tried: ['r1', 'r2'] } as const
  expect(grant(two, { ...revoked, refresh_tokens: ['r1'] }).replaced).toEqual([{ refresh_token: 'r2', target, client }])
  expect(grant(two, { ...revoked, refresh_tokens: ['r1', 'r2'] })).not.toHaveProperty('replaced')
})

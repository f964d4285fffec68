import { describe, expect, test } from 'vitest'
import { type Grant, type GrantEvent, grant, nothing } from '../../../packages/core/src/flow/grant.js'
import { edgeTable, reachable, written } from '../../support/edges.js'
import { client, granted, target, tokens } from './login-fixtures.js'

const lease = { id: 'L', holder: 'p1', taken_at: 1, lasts_ms: 90_000 }
const sent = { ...lease, sent: true } as const
const valid = { phase: 'valid', grant: 'g', granted, turn: 3, got: 2 } as const
const old = { refresh_token: 'r0', target, client }
const fresh = { access_token: 'a2', token_type: 'Bearer', refresh_token: 'r2', issued_at: 9 } as const
const another = { ...granted, tokens: { ...tokens, access_token: 'a9', refresh_token: 'r9' } }

const states = {
  nothing,
  'nothing, leased': { phase: 'absent', turn: 1, got: 0, lease },
  'signing out': { phase: 'absent', turn: 4, got: 4, lease: sent, replaced: [old] },
  'signed out': { phase: 'absent', turn: 4, got: 4, replaced: [old] },
  valid,
  'valid, leased': { ...valid, lease },
  'valid, sent': { ...valid, lease: sent, unanswered: 1, retry_at: 5 },
  spent: { ...valid, phase: 'spent', replaced: [old] },
} as const satisfies Record<string, Grant>

const events = {
  leased: { type: 'leased', lease: { ...lease, id: 'M' } },
  sent: { type: 'sent', id: 'L' },
  released: { type: 'released', id: 'L' },
  granted: { type: 'granted', turn: 5, id: 'L', grant: 'h', granted: another },
  'granted, late': { type: 'granted', turn: 0, id: 'L', grant: 'h', granted: another },
  refreshed: { type: 'refreshed', turn: 3, id: 'L', grant: 'g', from: granted, tokens: fresh },
  'refreshed, late': { type: 'refreshed', turn: 2, id: 'L', grant: 'g', from: granted, tokens: fresh },
  'refreshed, other': { type: 'refreshed', turn: 3, id: 'L', grant: 'x', from: granted, tokens: fresh },
  deferred: { type: 'deferred', id: 'L', retry_at: 9 },
  unanswered: { type: 'unanswered', id: 'L', retry_at: 9 },
  rejected: { type: 'rejected', id: 'L', grant: 'g', got: 2 },
  'rejected, older': { type: 'rejected', id: 'L', grant: 'g', got: 1 },
  revoked: { type: 'revoked', id: 'L', refresh_tokens: ['r0'], tried: [] },
  signed_out: { type: 'signed_out', lease: { ...lease, id: 'M' } },
} as const satisfies Record<string, GrantEvent>

/** A record in one line: phase, refresh token, turn and got, and what it carries besides. */
const inWords = (g: Grant): string =>
  [
    g.phase === 'absent' ? g.phase : `${g.phase} ${g.granted.tokens.refresh_token}`,
    `turn ${g.turn} got ${g.got}`,
    g.lease && `lease ${g.lease.id}${g.lease.sent ? ' sent' : ''}`,
    g.unanswered && `unanswered ${g.unanswered}`,
    g.retry_at && `retry at ${g.retry_at}`,
    g.replaced && `to revoke ${g.replaced.map((r) => r.refresh_token).join(' ')}`,
  ]
    .filter((part) => part !== undefined)
    .join(', ')

describe('the grant: what a sign-in left', () => {
  test('what each event leads to; whatever is not listed changes nothing', () => {
    expect(edgeTable<Grant, GrantEvent>(states, events, grant, inWords)).toBe(
      written(`
        nothing         | leased           | absent, turn 1 got 0, lease M
        nothing         | granted          | valid r9, turn 0 got 5
        nothing         | granted, late    | absent, turn 0 got 0, to revoke r9
        nothing         | refreshed        | absent, turn 0 got 0, to revoke r2
        nothing         | refreshed, late  | absent, turn 0 got 0, to revoke r2
        nothing         | refreshed, other | absent, turn 0 got 0, to revoke r2
        nothing         | signed_out       | absent, turn 1 got 1, lease M sent
        nothing, leased | leased           | absent, turn 2 got 0, lease M
        nothing, leased | sent             | absent, turn 1 got 0, lease L sent
        nothing, leased | released         | absent, turn 1 got 0
        nothing, leased | granted          | valid r9, turn 1 got 5
        nothing, leased | granted, late    | absent, turn 1 got 0, lease L, to revoke r9
        nothing, leased | refreshed        | absent, turn 1 got 0, lease L, to revoke r2
        nothing, leased | refreshed, late  | absent, turn 1 got 0, lease L, to revoke r2
        nothing, leased | refreshed, other | absent, turn 1 got 0, lease L, to revoke r2
        nothing, leased | deferred         | absent, turn 1 got 0, retry at 9
        nothing, leased | unanswered       | absent, turn 1 got 0, unanswered 1, retry at 9
        nothing, leased | revoked          | absent, turn 1 got 0
        nothing, leased | signed_out       | absent, turn 2 got 2, lease M sent
        signing out     | leased           | absent, turn 5 got 4, lease M, to revoke r0
        signing out     | released         | absent, turn 4 got 4, to revoke r0
        signing out     | granted          | valid r9, turn 4 got 5, to revoke r0
        signing out     | granted, late    | absent, turn 4 got 4, lease L sent, to revoke r0 r9
        signing out     | refreshed        | absent, turn 4 got 4, lease L sent, to revoke r0 r2
        signing out     | refreshed, late  | absent, turn 4 got 4, lease L sent, to revoke r0 r2
        signing out     | refreshed, other | absent, turn 4 got 4, lease L sent, to revoke r0 r2
        signing out     | deferred         | absent, turn 4 got 4, retry at 9, to revoke r0
        signing out     | unanswered       | absent, turn 4 got 4, unanswered 1, retry at 9, to revoke r0
        signing out     | revoked          | absent, turn 4 got 4
        signing out     | signed_out       | absent, turn 5 got 5, lease M sent, to revoke r0
        signed out      | leased           | absent, turn 5 got 4, lease M, to revoke r0
        signed out      | granted          | valid r9, turn 4 got 5, to revoke r0
        signed out      | granted, late    | absent, turn 4 got 4, to revoke r0 r9
        signed out      | refreshed        | absent, turn 4 got 4, to revoke r0 r2
        signed out      | refreshed, late  | absent, turn 4 got 4, to revoke r0 r2
        signed out      | refreshed, other | absent, turn 4 got 4, to revoke r0 r2
        signed out      | revoked          | absent, turn 4 got 4
        signed out      | signed_out       | absent, turn 5 got 5, lease M sent, to revoke r0
        valid           | leased           | valid r1, turn 4 got 2, lease M
        valid           | granted          | valid r9, turn 3 got 5, to revoke r1
        valid           | granted, late    | valid r1, turn 3 got 2, to revoke r9
        valid           | refreshed        | valid r2, turn 3 got 3
        valid           | refreshed, late  | valid r1, turn 3 got 2, to revoke r2
        valid           | refreshed, other | valid r1, turn 3 got 2, to revoke r2
        valid           | rejected         | spent r1, turn 3 got 2
        valid           | signed_out       | absent, turn 4 got 4, lease M sent, to revoke r1
        valid, leased   | leased           | valid r1, turn 4 got 2, lease M
        valid, leased   | sent             | valid r1, turn 3 got 2, lease L sent
        valid, leased   | released         | valid r1, turn 3 got 2
        valid, leased   | granted          | valid r9, turn 3 got 5, to revoke r1
        valid, leased   | granted, late    | valid r1, turn 3 got 2, lease L, to revoke r9
        valid, leased   | refreshed        | valid r2, turn 3 got 3
        valid, leased   | refreshed, late  | valid r1, turn 3 got 2, lease L, to revoke r2
        valid, leased   | refreshed, other | valid r1, turn 3 got 2, lease L, to revoke r2
        valid, leased   | deferred         | valid r1, turn 3 got 2, retry at 9
        valid, leased   | unanswered       | valid r1, turn 3 got 2, unanswered 1, retry at 9
        valid, leased   | rejected         | spent r1, turn 3 got 2
        valid, leased   | revoked          | valid r1, turn 3 got 2
        valid, leased   | signed_out       | absent, turn 4 got 4, lease M sent, to revoke r1
        valid, sent     | leased           | valid r1, turn 4 got 2, lease M, unanswered 2, retry at 5
        valid, sent     | released         | valid r1, turn 3 got 2, unanswered 1, retry at 5
        valid, sent     | granted          | valid r9, turn 3 got 5, to revoke r1
        valid, sent     | granted, late    | valid r1, turn 3 got 2, lease L sent, unanswered 1, retry at 5, to revoke r9
        valid, sent     | refreshed        | valid r2, turn 3 got 3
        valid, sent     | refreshed, late  | valid r1, turn 3 got 2, lease L sent, unanswered 1, retry at 5, to revoke r2
        valid, sent     | refreshed, other | valid r1, turn 3 got 2, lease L sent, unanswered 1, retry at 5, to revoke r2
        valid, sent     | deferred         | valid r1, turn 3 got 2, unanswered 1, retry at 9
        valid, sent     | unanswered       | valid r1, turn 3 got 2, unanswered 2, retry at 9
        valid, sent     | rejected         | spent r1, turn 3 got 2, unanswered 1, retry at 5
        valid, sent     | revoked          | valid r1, turn 3 got 2, unanswered 1, retry at 5
        valid, sent     | signed_out       | absent, turn 4 got 4, lease M sent, to revoke r1
        spent           | leased           | spent r1, turn 4 got 2, lease M, to revoke r0
        spent           | granted          | valid r9, turn 3 got 5, to revoke r0
        spent           | granted, late    | spent r1, turn 3 got 2, to revoke r0 r9
        spent           | refreshed        | valid r2, turn 3 got 3, to revoke r0
        spent           | refreshed, late  | spent r1, turn 3 got 2, to revoke r0 r2
        spent           | refreshed, other | spent r1, turn 3 got 2, to revoke r0 r2
        spent           | revoked          | spent r1, turn 3 got 2
        spent           | signed_out       | absent, turn 4 got 4, lease M sent, to revoke r0 r1`),
    )
  })

  test('no state is changed in place, and every state is JSON', () => {
    for (const state of Object.values(states)) {
      const before = structuredClone(state)
      for (const event of Object.values(events)) grant(state, event)
      expect(state).toEqual(before)
      expect(JSON.parse(JSON.stringify(state))).toEqual(state)
    }
  })

  test('every phase can be reached', () => {
    expect(reachable<Grant, GrantEvent>(states, events, grant, 'absent')).toEqual(['absent', 'spent', 'valid'])
  })
})

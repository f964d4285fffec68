import type { Client } from '../messages/client-information.js'
import type { Tokens } from '../messages/token-response.js'
import type { Target } from '../steps/target.js'
import type { Granted } from './attempt.js'

/**
 * Who may spend the refresh token or exchange a code. Part of the record, put there by the store's compare-and-set, so that
 * it cannot be lost without the record knowing.
 */
export interface Lease {
  readonly id: string
  readonly holder: string
  /** Milliseconds since the epoch. */
  readonly taken_at: number
  readonly lasts_ms: number
  /** The request may have left: from here on a commit at the server is possible. */
  readonly sent?: true
}

/** A refresh token that is no longer ours to use, to be revoked where it came from, whatever the server has moved to since. */
export interface Replaced {
  readonly refresh_token: string
  readonly target: Target
  readonly client?: Client
}

interface Turns {
  /** Raised by every lease and sign-out. */
  readonly turn: number
  /** The turn in which what the record holds came: later beats earlier. */
  readonly got: number
  readonly lease?: Lease
  /** How many requests with the present refresh token may have been committed without an answer. */
  readonly unanswered?: number
  /** Milliseconds since the epoch. */
  readonly retry_at?: number
  readonly replaced?: readonly Replaced[]
}

interface Held extends Turns {
  /** Random, new with every login. */
  readonly grant: string
  readonly granted: Granted
}

/** What a sign-in left: one stored record. */
export type Grant =
  /** Nothing, or (`got` above 0) the tombstone of a sign-out. */
  | ({ readonly phase: 'absent' } & Turns)
  | ({ readonly phase: 'valid' } & Held)
  /** The refresh token was definitively rejected and is never sent again; an access token with life left still serves. */
  | ({ readonly phase: 'spent' } & Held)

export const nothing: Grant = { phase: 'absent', turn: 0, got: 0 }

export type GrantEvent =
  | { readonly type: 'leased'; readonly lease: Lease }
  | { readonly type: 'sent'; readonly id: string }
  /** The lease is given back: nothing was sent, or what was sent has nothing to do with the refresh token. */
  | { readonly type: 'released'; readonly id: string }
  /** A login hands over; `was` is the grant that it found. */
  | {
      readonly type: 'granted'
      readonly turn: number
      readonly id: string
      readonly was?: string | undefined
      readonly grant: string
      readonly granted: Granted
    }
  | {
      readonly type: 'refreshed'
      readonly turn: number
      readonly id: string
      readonly grant: string
      readonly from: Granted
      readonly tokens: Tokens
      /** Set where the answer brought no access token that can be used. */
      readonly retry_at?: number
    }
  /** Surely before a commit. */
  | { readonly type: 'deferred'; readonly id: string; readonly retry_at: number }
  /** Perhaps after one. */
  | { readonly type: 'unanswered'; readonly id: string; readonly retry_at: number }
  | { readonly type: 'rejected'; readonly id: string; readonly grant: string; readonly got: number }
  /** `tried`: those that the server did not revoke. The lease `id` ends, unless others came meanwhile. */
  | {
      readonly type: 'revoked'
      readonly id: string
      readonly refresh_tokens: readonly string[]
      readonly tried: readonly string[]
    }
  /** Under a lease, so that a login that follows waits for the revocations: some servers revoke a user's every grant. */
  | { readonly type: 'signed_out'; readonly lease: Lease }

/** The next record. Total and pure: an event that does not apply returns the very same object. */
export function grant(s: Grant, e: GrantEvent): Grant {
  switch (e.type) {
    case 'leased':
      return {
        ...s,
        turn: s.turn + 1,
        lease: e.lease,
        ...(s.phase === 'valid' && s.lease?.sent && { unanswered: (s.unanswered ?? 0) + 1 }),
      }
    case 'sent':
      return s.lease?.id === e.id && !s.lease.sent ? { ...s, lease: { ...s.lease, sent: true } } : s
    case 'released':
      return withoutLease(s, e.id)
    case 'granted': {
      // Too late: a later login or a sign-out. Kept only to be revoked. A refresh of what it found is no reason.
      if (e.turn <= s.got && (s.phase === 'absent' || s.grant !== e.was))
        return plus(s, toRevoke(e.granted, e.granted.tokens))
      const { unanswered: _u, retry_at: _r, ...kept } = withoutLease(s, e.id)
      const old =
        // One that was refused for good needs no revocation.
        s.phase === 'valid' && s.granted.tokens.refresh_token !== e.granted.tokens.refresh_token
          ? toRevoke(s.granted, s.granted.tokens)
          : []
      return plus({ ...kept, phase: 'valid', grant: e.grant, granted: e.granted, got: e.turn }, old)
    }
    case 'refreshed': {
      if (s.phase === 'absent' || s.grant !== e.grant || e.turn <= s.got) return plus(s, toRevoke(e.from, e.tokens))
      const { unanswered: _u, retry_at: _r, ...kept } = withoutLease(s, e.id)
      const granted = { ...s.granted, tokens: carry(s.granted.tokens, e.tokens) }
      const retry = e.retry_at === undefined ? {} : { retry_at: e.retry_at }
      return { ...kept, ...retry, phase: 'valid', grant: s.grant, granted, got: e.turn }
    }
    case 'deferred':
      return s.lease?.id === e.id ? { ...withoutLease(s, e.id), retry_at: e.retry_at } : s
    case 'unanswered':
      return s.lease?.id === e.id
        ? { ...withoutLease(s, e.id), retry_at: e.retry_at, unanswered: (s.unanswered ?? 0) + 1 }
        : s
    case 'rejected':
      return s.phase === 'valid' && s.grant === e.grant && s.got === e.got
        ? { ...withoutLease(s, e.id), phase: 'spent' }
        : s
    case 'revoked': {
      const { replaced = [], ...rest } = s
      const left = replaced.filter((r) => !e.refresh_tokens.includes(r.refresh_token))
      const next = left.length > 0 ? { ...rest, replaced: left } : rest
      if (left.every((r) => e.tried.includes(r.refresh_token)) && s.lease?.id === e.id) return withoutLease(next, e.id)
      return left.length === replaced.length ? s : next
    }
    case 'signed_out': {
      const turn = s.turn + 1
      const tombstone: Grant = {
        phase: 'absent',
        turn,
        got: turn,
        lease: { ...e.lease, sent: true },
        ...(s.replaced && { replaced: s.replaced }),
      }
      return plus(tombstone, s.phase === 'absent' ? [] : toRevoke(s.granted, s.granted.tokens))
    }
  }
}

/** Answers that omit a member keep the one we had (RFC 6749 sections 5.1 and 6). The expiry is never carried over. */
const carry = (was: Tokens, now: Tokens): Tokens => ({
  ...(was.refresh_token !== undefined && { refresh_token: was.refresh_token }),
  ...(was.scope !== undefined && { scope: was.scope }),
  ...now,
})

function withoutLease<S extends Grant>(s: S, id: string): S {
  if (s.lease?.id !== id) return s
  const { lease: _, ...rest } = s
  return rest as S
}

const toRevoke = ({ target, client }: Granted, { refresh_token }: Tokens): readonly Replaced[] =>
  refresh_token === undefined ? [] : [{ refresh_token, target, ...(client && { client }) }]

/** A record must not grow with every login: of very many, the oldest have long expired. */
const MOST_REPLACED = 16

function plus(s: Grant, more: readonly Replaced[]): Grant {
  const { replaced = [] } = s
  const there = [...replaced.map((r) => r.refresh_token), s.phase === 'absent' ? '' : s.granted.tokens.refresh_token]
  const added = more.filter((r) => !there.includes(r.refresh_token))
  return added.length === 0 ? s : { ...s, replaced: [...replaced, ...added].slice(-MOST_REPLACED) }
}

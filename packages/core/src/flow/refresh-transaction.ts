import { CountersignError } from '../errors/error.js'
import type { Client } from '../messages/client-information.js'
import { toTokens } from '../messages/token-response.js'
import type { StepContext } from '../steps/context.js'
import { refresh } from '../steps/refresh.js'
import type { TokenAnswer } from '../steps/token-request.js'
import { usable } from './current-token.js'
import type { Grant } from './grant.js'
import type { HeldGrant } from './held-grant.js'
import { forgetLease, leaseMs, newLease, waitForLease } from './lease.js'
import type { Runtime } from './runtime.js'
import { storeTokens } from './store-tokens.js'

type Valid = Extract<Grant, { readonly phase: 'valid' }>

/** What the transaction works on. */
export interface Renewal {
  readonly runtime: Runtime
  readonly context: StepContext
  readonly held: HeldGrant
  readonly url: string
  /** The client with its secret, which the record does not carry for a client registered by hand. */
  readonly authenticated: (client: Client, issuer: string) => Promise<Client>
}

const BACKOFF_MS = 5_000

/**
 * The refresh transaction: spends a refresh token under a lease that is part of the record, so that of all callers,
 * connections and processes exactly one sends it, and a newer result is never replaced by an older one.
 *
 * @param had - the turn whose tokens are no longer good enough
 * @returns `renewed` or `adopted` when there are tokens; `ended` when the refresh token is spent or the person signed out
 * @throws CountersignError `server_unavailable` (the token is kept), `refresh_outcome_unknown`, `store_unavailable`
 */
export async function renew(
  renewal: Renewal,
  had: { grant: string; got: number },
): Promise<'renewed' | 'adopted' | 'ended'> {
  const { runtime, held } = renewal
  let { grant, got } = had
  for (;;) {
    const seen = await waitForLease(runtime, held)
    const now = seen.grant
    if (now.phase !== 'valid') return 'ended'
    if (now.grant !== grant || now.got > got) {
      if (usable(now.granted.tokens, runtime.clock.now())) {
        runtime.emit({ type: 'adopted', level: 'debug', url: renewal.url })
        return 'adopted'
      }
      grant = now.grant
      got = now.got
    }
    if (now.granted.tokens.refresh_token === undefined || now.granted.client === undefined) return 'ended'
    if (now.retry_at !== undefined && now.retry_at > runtime.clock.now()) throw notYet(now, now.retry_at)

    const lease = await newLease(runtime)
    try {
      const leased = await held.apply(seen, { type: 'leased', lease })
      const sent = leased && (await held.apply(leased, { type: 'sent', id: lease.id }))
      if (sent?.grant.phase !== 'valid') continue
      if (now.lease?.sent) runtime.emit({ type: 'lease_taken_over', level: 'warn', url: renewal.url })
      return await spend(renewal, sent.grant, lease.id)
    } finally {
      forgetLease(runtime, lease.id)
    }
  }
}

async function spend(renewal: Renewal, now: Valid, id: string): Promise<'renewed' | 'ended'> {
  const { runtime, held, url } = renewal
  const { client: known, target } = now.granted
  if (known === undefined) return 'ended'
  const client = await renewal.authenticated(known, target.issuer)
  let answer = await ask(renewal, now, client)
  // One prompt retry for a token whose answer was lost: servers with a grace period forgive it. Silence is not a lost answer.
  const again = answer.kind === 'unanswered' && !now.unanswered && answer.error.code !== 'request_timeout'
  if (again) answer = await ask(renewal, now, client)
  const at = runtime.clock.now()
  switch (answer.kind) {
    case 'tokens': {
      const { turn, grant } = now
      const fresh = toTokens(answer.response, { now: at })
      await storeTokens(runtime, held, url, { type: 'refreshed', turn, id, grant, from: now.granted, tokens: fresh })
      runtime.emit({ type: 'refreshed', level: 'info', url })
      return held.known?.phase === 'valid' ? 'renewed' : 'ended'
    }
    case 'rejected': {
      await held.settle({ type: 'rejected', id, grant: now.grant, got: now.got })
      runtime.emit({
        type: again || now.unanswered ? 'rotation_lost' : 'spent',
        level: 'warn',
        url,
        error: answer.error,
      })
      return held.known?.phase === 'valid' ? 'renewed' : 'ended'
    }
    case 'deferred': {
      const retry_at = answer.retryAt ?? at + BACKOFF_MS
      await held.settle({ type: 'deferred', id, retry_at })
      runtime.emit({ type: 'kept', level: 'warn', url, error: answer.error })
      throw notYet(now, retry_at, answer.error)
    }
    case 'unanswered': {
      const retry_at = at + BACKOFF_MS * 4 ** Math.min(now.unanswered ?? 0, 4)
      await held.settle({ type: 'unanswered', id, retry_at })
      runtime.emit({ type: 'kept', level: 'warn', url, error: answer.error })
      throw new CountersignError('refresh_outcome_unknown', {
        step: 'refresh',
        url: now.granted.target.token_endpoint,
        received: answer.error.received ?? answer.error.code,
        retryAt: retry_at,
        cause: answer.error,
      })
    }
  }
}

const ask = ({ context, runtime }: Renewal, now: Valid, client: Client): Promise<TokenAnswer> =>
  refresh(context, now.granted.target, client, now.granted.tokens.refresh_token ?? '', leaseMs(runtime))

const notYet = (now: Valid, retryAt: number, cause?: CountersignError): CountersignError =>
  new CountersignError('server_unavailable', {
    step: 'refresh',
    url: now.granted.target.token_endpoint,
    received: cause?.received ?? (cause ? cause.code : `nothing is sent before ${new Date(retryAt).toISOString()}`),
    retryAt,
    cause,
  })

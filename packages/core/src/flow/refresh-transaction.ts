import { CountersignError } from '../errors/error.js'
import type { Client } from '../messages/client-information.js'
import { toTokens } from '../messages/token-response.js'
import { refresh } from '../steps/refresh.js'
import { forgetClient } from './client.js'
import type { ConnectionCore } from './connection-core.js'
import { better, renewable } from './current-token.js'
import type { Grant } from './grant.js'
import { forgetLease, leaseMs, newLease, waitForLease } from './lease.js'
import { backoffMs, failedBefore, postponed, postponedUntil } from './postponed.js'
import { withSecret } from './secrets.js'
import { settleSurely } from './settle.js'

type Valid = Extract<Grant, { readonly phase: 'valid' }>

/** `left`: somebody else is at it, and nobody needs to wait. `ended`: the refresh token is spent, or the person signed out. */
export type Renewed = 'renewed' | 'adopted' | 'left' | 'ended'

/** How much of its lease a turn may wait for answers: the rest is for storing them. */
const SOCKET_SHARE = 0.95
/** What a server says that refuses the client, whatever the refresh token is worth. */
const CLIENT_REFUSED = new Set(['invalid_client', 'unauthorized_client'])

/**
 * The refresh transaction: spends a refresh token under a lease that is part of the record, so that of all callers,
 * connections and processes exactly one sends it, and a newer result is never replaced by an older one.
 *
 * @param had - the record whose tokens are no longer good enough
 * @param leave - whether nobody needs to wait for somebody else's lease: there is an access token with life left
 * @throws CountersignError with the token kept: `server_unavailable`, `refresh_outcome_unknown`, `token_request_rejected` (a
 * client that the host keeps was refused), `client_authentication_unsupported`, `options_invalid`, `store_unavailable`,
 * `connector_closed`
 */
export async function renew(core: ConnectionCore, had: Grant, leave: () => boolean): Promise<Renewed> {
  const { runtime, held } = core
  const { clock } = runtime
  for (let known = had; ; ) {
    const adoptable = (now: Grant): boolean => better(now, known, clock.now())
    const retryAt = ({ retry_at }: Grant): number | undefined => postponedUntil(retry_at, clock.now())
    const enough = (now: Grant): boolean => adoptable(now) || !renewable(now) || retryAt(now) !== undefined
    const seen = await waitForLease(core, { enough, leave })
    if (seen.left) return 'left'
    const now = seen.grant
    if (adoptable(now)) {
      core.emit('adopted', 'debug')
      return 'adopted'
    }
    if (now.phase !== 'valid') return 'ended'
    const { tokens, client, target } = now.granted
    if (tokens.refresh_token === undefined || client === undefined) return 'ended'
    // Without its key the refresh token is worth nothing, here at least.
    const { dpop_key_id } = target
    if (dpop_key_id !== undefined && (core.switchedOff || !(await core.needProving().has(core, dpop_key_id))))
      return 'ended'
    const later = retryAt(now)
    if (later !== undefined) throw postponed(target.token_endpoint, 'refresh', later)
    known = now

    // Before the lease: a supplier may take its time, or fail, and then nothing is held up by it.
    const authenticated = await withSecret(core, target.issuer, client)
    const lease = await newLease(runtime)
    try {
      const leased = await held.apply(seen, { type: 'leased', lease })
      const sent = leased && (await held.apply(leased, { type: 'sent', id: lease.id }))
      if (sent?.grant.phase !== 'valid') continue
      const over = clock.monotonic() + SOCKET_SHARE * leaseMs(runtime)
      if (now.lease !== undefined && !runtime.leases.has(now.lease.id)) core.emit('lease_taken_over', 'warn')
      return await spend(core, sent.grant, authenticated, tokens.refresh_token, { id: lease.id, over })
    } catch (error) {
      // Nothing is under way any more; others would wait for a holder that lives and does nothing.
      if (held.known?.lease?.id === lease.id) await settleSurely(core, { type: 'released', id: lease.id })
      throw error
    } finally {
      forgetLease(runtime, lease.id)
    }
  }
}

async function spend(
  core: ConnectionCore,
  now: Valid,
  client: Client,
  refresh_token: string,
  { id, over }: { readonly id: string; readonly over: number },
): Promise<Renewed> {
  const { held, context, runtime } = core
  const { turn, got, grant, granted, unanswered = 0 } = now
  const { target } = granted
  let known = client
  const ask = (): ReturnType<typeof refresh> =>
    // Whatever is sent in this turn: its answer has to be stored before somebody else may take the lease over.
    refresh(context, target, known, refresh_token, Math.max(over - runtime.clock.monotonic(), 0))
  let answer = await ask()
  if (answer.kind === 'rejected' && answer.oauth.error === 'invalid_client' && client.origin === 'registered') {
    // A supplier may have a newer secret than the one that was refused.
    known = await withSecret(core, target.issuer, client)
    answer = await ask()
  }
  // One prompt retry for a token whose answer was lost: servers with a grace period forgive it. Silence is not a lost answer.
  const again =
    answer.kind === 'unanswered' &&
    answer.refresh_token === undefined &&
    unanswered === 0 &&
    answer.error.code !== 'request_timeout'
  if (again) answer = await ask()

  if (answer.kind === 'tokens') {
    const tokens = toTokens(answer.response)
    await settleSurely(core, { type: 'refreshed', turn, id, grant, from: granted, tokens })
    if (held.known?.phase !== 'valid') return 'ended'
    // Somebody has signed in meanwhile, and what came here is kept only to be revoked.
    if (held.known.got !== turn) return 'adopted'
    core.emit('refreshed', 'info')
    return 'renewed'
  }
  const { error } = answer
  // A client that the host keeps, a clock that is wrong: for the host to repair, and its person stays signed in meanwhile.
  const refused = client.origin !== 'dynamic' && CLIENT_REFUSED.has(error.oauth?.error ?? '')
  const byHost = refused || error.action === 'fix_configuration'
  if (answer.kind === 'rejected' && !byHost) {
    await settleSurely(core, { type: 'rejected', id, grant, got })
    if (answer.forgotten) await forgetClient(runtime, target.issuer, client.client_id)
    // Somebody has brought newer tokens meanwhile, or signed out: what was refused is no longer anybody's.
    if (held.known?.phase === 'valid') return 'adopted'
    // As the record has it now: who took this lease over has noted there that it sent the same token.
    const lost = again || held.known?.unanswered
    if (held.known?.phase === 'spent') core.emit(lost ? 'rotation_lost' : 'spent', 'warn', { error })
    return 'ended'
  }
  // What was lost at first stays in doubt, whatever was said later.
  const kind = again || answer.kind === 'unanswered' ? 'unanswered' : 'deferred'
  const times = kind === 'deferred' ? failedBefore(now) : unanswered
  const retry_at = error.retryAt ?? runtime.clock.now() + backoffMs(times)
  if (answer.kind === 'unanswered' && answer.refresh_token !== undefined) {
    // The server has rotated: this token is good for the next try, the one that was sent is not.
    const tokens = { ...granted.tokens, refresh_token: answer.refresh_token }
    await settleSurely(core, { type: 'refreshed', turn, id, grant, from: granted, tokens, retry_at })
  } else {
    await settleSurely(core, { type: kind, id, retry_at })
  }
  core.emit('kept', 'warn', { error })
  if (refused) throw new CountersignError(error.code, { ...error, action: 'fix_configuration', hint: CLIENT_HINT })
  if (byHost) throw error
  const code = kind === 'deferred' ? 'server_unavailable' : 'refresh_outcome_unknown'
  throw postponed(target.token_endpoint, 'refresh', retry_at, code, error)
}

const CLIENT_HINT =
  'The server refuses this client: correct client.registered or the metadata document. The login is kept.'

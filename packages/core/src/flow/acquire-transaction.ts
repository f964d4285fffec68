import { CountersignError } from '../errors/error.js'
import { withDeadline } from '../http/deadline.js'
import { randomId } from '../primitives/random-id.js'
import type { Granted } from './attempt.js'
import type { ConnectionCore } from './connection-core.js'
import { better } from './current-token.js'
import type { Grant } from './grant.js'
import { forgetLease, leaseMs, takeLease, waitForLease } from './lease.js'
import { backoffMs, failedBefore, postponed, postponedUntil } from './postponed.js'
import { settleSurely } from './settle.js'
import { revokeReplaced } from './sign-out.js'

/** A way of getting tokens without a person; `signal` ends it with the lease, or when the connector closes. */
export type Ask = (signal: AbortSignal) => Promise<Granted>

/** `left`: somebody else is at it, and nobody needs to wait. `ended`: signed out meanwhile. */
export type Acquired = 'acquired' | 'adopted' | 'left' | 'ended'

/**
 * Acquires tokens without a person under the lease of a refresh, on an empty record if need be: of all callers, connections and
 * processes one asks, and the others adopt what it gets.
 *
 * @param had - what is no longer good enough, as the caller saw it: `nothing` at first
 * @param ask - asks the server. Discovery, a client and a secret are had before: what is slow in here keeps everybody waiting
 * @param closing - gives it up; unlike a refresh token, nothing is lost by it
 * @param leave - whether nobody needs to wait for somebody else's lease: there is an access token with life left
 * @throws CountersignError `server_unavailable` (asked a moment ago, in vain), `request_timeout`, `store_unavailable`,
 * `connector_closed`, and what `ask` throws
 */
export async function acquire(
  core: ConnectionCore,
  had: Grant,
  ask: Ask,
  closing?: AbortSignal,
  leave?: () => boolean,
): Promise<Acquired> {
  const { runtime } = core
  const { clock } = runtime
  for (let known = had; ; ) {
    const ended = (now: Grant): boolean => now.phase === 'absent' && now.got > known.got
    const late = ({ retry_at }: Grant): number | undefined => postponedUntil(retry_at, clock.now())
    const enough = (now: Grant): boolean => ended(now) || better(now, known, clock.now()) || late(now) !== undefined
    const seen = await waitForLease(core, { enough, leave })
    if (seen.left) return 'left'
    const now = seen.grant
    if (ended(now)) return 'ended'
    if (better(now, known, clock.now())) {
      core.emit('adopted', 'debug')
      return 'adopted'
    }
    known = now
    const retryAt = late(now)
    if (retryAt !== undefined) throw postponed(core.url, 'acquire', retryAt)

    const lease = await takeLease(core, seen)
    if (lease === undefined) continue
    try {
      const granted = await withDeadline(
        {
          clock,
          timeoutMs: leaseMs(runtime),
          signal: closing,
          onTimeout: () => new CountersignError('request_timeout', { step: 'acquire', url: core.url }),
          onAbort: () => new CountersignError('connector_closed', { step: 'acquire', url: core.url }),
        },
        ask,
      )
      await settleSurely(core, { type: 'granted', ...lease, grant: randomId(runtime.random), granted })
      if (core.held.known?.phase !== 'absent') {
        core.emit('acquired', 'info')
        return 'acquired'
      }
      await revokeReplaced(core)
      return 'ended'
    } catch (error) {
      // A server that cannot answer now is not asked by seven more processes at once.
      const later = CountersignError.is(error) && error.action === 'retry_at'
      const retry_at = later ? (error.retryAt ?? clock.now() + backoffMs(failedBefore(now))) : undefined
      await settleSurely(
        core,
        retry_at === undefined ? { type: 'released', id: lease.id } : { type: 'deferred', id: lease.id, retry_at },
      )
      throw error
    } finally {
      forgetLease(runtime, lease.id)
    }
  }
}

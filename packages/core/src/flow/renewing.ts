import { CountersignError } from '../errors/error.js'
import { withDeadline } from '../http/deadline.js'
import type { Tokens } from '../messages/token-response.js'
import type { ConnectionCore } from './connection-core.js'
import { renewAt, tokensOf, usable } from './current-token.js'
import { renew } from './refresh-transaction.js'
import { track } from './runtime.js'
import { withSecret } from './server.js'
import { revokeReplaced } from './sign-out.js'

type Outcome = Awaited<ReturnType<typeof renew>>

/** The current tokens of one connection: one getter, one refresh at a time, whoever asks. */
export class Renewing {
  /** Until when the present token may be used without a thought, in milliseconds since the epoch. */
  fastUntil = 0
  readonly #core: ConnectionCore
  #renewing: Promise<Outcome> | undefined

  constructor(core: ConnectionCore) {
    this.#core = core
  }

  get underWay(): boolean {
    return this.#renewing !== undefined
  }

  /** The record has changed: when its token is due is decided once. */
  grantChanged(): void {
    const { held, runtime } = this.#core
    const jitter = (runtime.random(1)[0] ?? 0) / 255
    this.fastUntil = tokensOf(held.known) === undefined ? 0 : renewAt(held.known, jitter)
  }

  /** The current tokens, renewed first where they are about to expire. */
  async current(signal?: AbortSignal | null): Promise<Tokens | undefined> {
    const { held, runtime } = this.#core
    if (held.known === undefined) await held.read()
    const tokens = tokensOf(held.known)
    const now = runtime.clock.now()
    if (tokens === undefined || now < this.fastUntil) return tokens
    try {
      await this.renew(signal)
    } catch (error) {
      // The token has life left, so what keeps it from being renewed is nobody's trouble yet.
      if (usable(tokens, now) && CountersignError.is(error) && error.action === 'retry_at') return tokens
      throw error
    }
    return tokensOf(held.known)
  }

  /**
   * Spends the refresh token, once for all who ask.
   *
   * @returns whether there are tokens now
   * @throws CountersignError `refresh_pending`, `server_unavailable`, `refresh_outcome_unknown`, `request_aborted`
   */
  async renew(signal?: AbortSignal | null): Promise<boolean> {
    const { held, runtime, url } = this.#core
    const grant = held.known
    if (grant?.phase !== 'valid') return false
    this.#renewing ??= this.#begin(grant)
    const underWay = this.#renewing
    const where = { step: 'refresh', url }
    const outcome = await withDeadline(
      {
        clock: runtime.clock,
        // The callers' patience, not the transaction's: that goes on until its answer is stored.
        timeoutMs: 1.5 * runtime.requestTimeoutMs,
        signal: signal ?? undefined,
        onTimeout: () => new CountersignError('refresh_pending', where),
        onAbort: () => new CountersignError('request_aborted', { ...where, cause: signal?.reason }),
      },
      () => underWay,
    )
    return outcome !== 'ended'
  }

  #begin(from: { readonly grant: string; readonly got: number }): Promise<Outcome> {
    const { server, held, runtime, url, status } = this.#core
    const work = track(runtime, {}, async () => {
      try {
        const outcome = await renew(
          {
            runtime,
            context: server.context,
            held,
            url,
            authenticated: (client, issuer) => withSecret(server, issuer, client),
          },
          from,
        )
        if (held.known?.phase === 'absent' && held.known.replaced) await revokeReplaced(server, held)
        return outcome
      } finally {
        this.#renewing = undefined
        status.changed()
      }
    })
    // Callers may all have given up by the time it fails.
    work.catch(() => undefined)
    queueMicrotask(() => status.changed())
    return work
  }
}

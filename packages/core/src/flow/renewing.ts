import { CountersignError } from '../errors/error.js'
import type { Tokens } from '../messages/token-response.js'
import type { ConnectionCore } from './connection-core.js'
import { renewAt, tokensOf, usable } from './current-token.js'
import { wait } from './patience.js'
import { type Renewed, renew } from './refresh-transaction.js'
import { track } from './runtime.js'
import { revokeReplaced } from './sign-out.js'

/** The current tokens of one connection: one getter, one refresh at a time, whoever asks. */
export class Renewing {
  /** Until when the present token may be used without a thought, in milliseconds since the epoch. */
  fastUntil = 0
  readonly #core: ConnectionCore
  #underWay: Promise<Renewed> | undefined

  constructor(core: ConnectionCore) {
    this.#core = core
  }

  get underWay(): boolean {
    return this.#underWay !== undefined
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
    await held.look()
    const tokens = tokensOf(held.known)
    const now = runtime.clock.now()
    if (tokens === undefined || now < this.fastUntil) return tokens
    try {
      await this.renew(signal)
    } catch (error) {
      if (!CountersignError.is(error) || !usable(tokens, now)) throw error
      // The token has life left, so what keeps it from being renewed is nobody's trouble yet.
      if (error.code === 'store_unavailable') this.#core.emit('kept', 'warn', { error })
      else if (error.code === 'connector_closed') throw error
      return tokens
    }
    return tokensOf(held.known)
  }

  /**
   * Spends the refresh token, once for all who ask.
   *
   * @returns whether there are tokens now
   * @throws CountersignError `refresh_pending`, `request_aborted`, and what the refresh transaction throws
   */
  async renew(signal?: AbortSignal | null): Promise<boolean> {
    const core = this.#core
    const grant = core.held.known
    if (grant?.phase !== 'valid') return false
    this.#underWay ??= this.#begin(grant)
    const underWay = this.#underWay
    // The callers' patience, not the transaction's: that goes on until its answer is stored.
    const timeoutMs = 1.5 * core.runtime.requestTimeoutMs
    return (
      (await wait(core, { step: 'refresh', timeoutMs, code: 'refresh_pending', signal }, () => underWay)) !== 'ended'
    )
  }

  #begin(from: { readonly grant: string; readonly got: number }): Promise<Renewed> {
    const core = this.#core
    const work = track(core.runtime, async () => {
      try {
        const outcome = await renew(core, from)
        await revokeReplaced(core)
        return outcome
      } finally {
        this.#underWay = undefined
        core.status.set()
      }
    })
    // Callers may all have given up by the time it fails.
    work.catch(() => undefined)
    queueMicrotask(() => core.status.set())
    return work
  }
}

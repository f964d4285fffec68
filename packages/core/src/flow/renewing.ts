import { CountersignError } from '../errors/error.js'
import type { Tokens } from '../messages/token-response.js'
import type { Acquired } from './acquire-transaction.js'
import type { ConnectionCore } from './connection-core.js'
import { renewAt, tokensOf, usable } from './current-token.js'
import { type Grant, nothing } from './grant.js'
import { moved } from './issuers.js'
import { wait } from './patience.js'
import { type Renewed, renew } from './refresh-transaction.js'
import { track } from './runtime.js'
import { revokeReplaced } from './sign-out.js'

/** One refresh, shared by all who ask. */
interface Flight {
  readonly done: Promise<Renewed | Acquired>
  /** As soon as it is about to wait for somebody else's lease. */
  readonly waits: Promise<'left'>
  /** Somebody has no access token that would do meanwhile. */
  need(): void
}

/** What a caller wants of a refresh. */
interface Wanted {
  /** What acquired tokens have to cover besides. */
  readonly scope?: string | undefined
  /** The access token has life left: somebody else's refresh is not waited for. */
  readonly spare?: boolean
  /** How long the caller has waited before; raised by what it waits now. */
  readonly waited?: { ms: number } | undefined
}

/** The current tokens of one connection: one getter, one refresh at a time, whoever asks. */
export class Renewing {
  /** Until when the present token may be used without a thought, in milliseconds since the epoch. */
  fastUntil = 0
  readonly #core: ConnectionCore
  #underWay: Flight | undefined

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
    const tokens = tokensOf(held.known)
    if (tokens === undefined) this.fastUntil = 0
    else this.fastUntil = this.#core.renewable ? renewAt(tokens, jitter) : Infinity
  }

  /** The current tokens, renewed first where they are about to expire; see `renew`. */
  async current(signal?: AbortSignal | null, waited?: Wanted['waited']): Promise<Tokens | undefined> {
    const { held, runtime } = this.#core
    await held.look()
    const tokens = tokensOf(held.known)
    const { clock } = runtime
    if (tokens === undefined || clock.now() < this.fastUntil) return tokens
    try {
      await this.renew(signal, { spare: usable(tokens, clock.now()), waited })
    } catch (error) {
      if (!CountersignError.is(error) || !usable(tokens, clock.now())) throw error
      // The token has life left, so what keeps it from being renewed is nobody's trouble yet.
      if (error.code === 'store_unavailable') this.#core.emit('kept', 'warn', { error })
      else if (error.code === 'connector_closed') throw error
      return tokens
    }
    return tokensOf(held.known)
  }

  /**
   * Spends the refresh token or acquires new tokens, once for all who ask.
   *
   * @returns whether there are tokens now
   * @throws CountersignError `refresh_pending`, `request_aborted`, and what the refresh transaction throws
   */
  async renew(signal?: AbortSignal | null, wanted: Wanted = {}): Promise<boolean> {
    const core = this.#core
    const { scope, spare, waited = { ms: 0 } } = wanted
    const { clock, requestTimeoutMs } = core.runtime
    const began = clock.monotonic() - waited.ms
    for (;;) {
      const { known = nothing } = core.held
      // What belongs to the old issuer of a server that moved is not offered there any more.
      if (!core.acquires && (known.phase !== 'valid' || moved(core))) return false
      this.#underWay ??= this.#begin(known, scope)
      const { done, waits, need } = this.#underWay
      if (!spare) need()
      // The callers' patience, not the transaction's: that goes on until its answer is stored.
      const timeoutMs = 1.5 * requestTimeoutMs - waited.ms
      const patience = { step: 'refresh', timeoutMs, code: 'refresh_pending', signal } as const
      const outcome = await wait(core, patience, () => (spare ? Promise.race([done, waits]) : done)).finally(() => {
        waited.ms = clock.monotonic() - began
      })
      // It had been left before this caller came.
      if (outcome !== 'left' || spare) return outcome !== 'ended'
    }
  }

  #begin(from: Grant, scope: string | undefined): Flight {
    const core = this.#core
    const { held, runtime, acquires } = core
    const stop = new AbortController()
    let needed = false
    let waiting = (_: 'left'): void => undefined
    const waits = new Promise<'left'>((resolve) => {
      waiting = resolve
    })
    const needless = (): boolean => {
      waiting('left')
      const tokens = tokensOf(held.known)
      return !needed && tokens !== undefined && usable(tokens, runtime.clock.now())
    }
    const work = async (): Promise<Renewed | Acquired> => {
      try {
        if (acquires) return await acquires.obtain(core, from, scope, stop.signal, needless)
        const outcome = await renew(core, from, needless)
        await revokeReplaced(core)
        return outcome
      } finally {
        this.#underWay = undefined
        core.status.set()
      }
    }
    // Unlike a refresh, an acquisition can be given up: nothing is lost by it.
    const done = track(runtime, work, acquires && ((reason) => stop.abort(reason)))
    // Callers may all have given up by the time it fails.
    done.catch(() => undefined)
    queueMicrotask(() => core.status.set())
    const need = (): void => {
      needed = true
    }
    return { done, waits, need }
  }
}

import type { CountersignError } from '../errors/error.js'
import type { ConnectionCore } from './connection-core.js'
import { tell } from './runtime.js'
import { deriveSnapshot, restoring, type Snapshot } from './snapshot.js'

/** The snapshot of one connection, and who wants to know when it changes. */
export class Status {
  snapshot: Snapshot = restoring
  /** A request was refused for want of a person. */
  personNeeded = false
  /** How the last login ended, if badly. */
  failure: CountersignError | undefined
  readonly #core: ConnectionCore
  #listeners: Set<{ readonly listener: () => void }> | undefined
  #unfollow: (() => void) | undefined

  constructor(core: ConnectionCore) {
    this.#core = core
  }

  subscribe(listener: () => void): () => void {
    // An object of its own, because one function may listen twice. A connection that somebody listens to is kept.
    const entry = { listener }
    const { listening } = this.#core.runtime
    this.#listeners ??= new Set()
    this.#listeners.add(entry)
    listening.set(entry, this.#core)
    if (!this.#core.runtime.closed) this.#unfollow ??= this.#core.held.follow()
    return () => {
      listening.delete(entry)
      this.#listeners?.delete(entry)
      if (this.#listeners?.size === 0) this.unfollow()
    }
  }

  /** An idle connection, and a closed connector, keep nothing open in the store. */
  unfollow(): void {
    this.#unfollow?.()
    this.#unfollow = undefined
  }

  /** Takes what is new, derives the snapshot, and tells the listeners if it is another. */
  set(news: Partial<Pick<Status, 'personNeeded' | 'failure'>> = {}): void {
    Object.assign(this, news)
    const { held, instead, signingIn, renewing, renewable, runtime } = this.#core
    const next = deriveSnapshot({
      grant: held.known,
      headers: instead !== undefined,
      renewable,
      signingIn: signingIn.underWay,
      refreshing: renewing.underWay,
      personNeeded: this.personNeeded,
      failure: this.failure ?? (held.known ? undefined : held.refusal),
      now: runtime.clock.now(),
    })
    if (JSON.stringify(next) === JSON.stringify(this.snapshot)) return
    this.snapshot = next
    for (const { listener } of [...(this.#listeners ?? [])]) tell(listener)
  }
}

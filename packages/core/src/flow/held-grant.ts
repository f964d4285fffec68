import { type Grant, type GrantEvent, grant } from './grant.js'
import { readableGrant } from './records.js'
import type { Runtime } from './runtime.js'

const DAY = 86_400_000

/** The record as it was read: what a compare-and-set starts from. */
export interface Seen {
  readonly raw: string | undefined
  readonly grant: Grant
}

/** One connection's grant: the stored record, and what is known of it without asking the store. */
export class HeldGrant {
  /** The newest that this connection has seen; undefined until the store has answered once. */
  known: Grant | undefined
  readonly #runtime: Runtime
  readonly #parts: readonly (string | undefined)[]
  readonly #changed: () => void
  #key: string | undefined

  constructor(runtime: Runtime, url: string, account: string | undefined, changed: () => void) {
    this.#runtime = runtime
    this.#parts = [url, account]
    this.#changed = changed
  }

  async read(): Promise<Seen> {
    const read = await this.#runtime.records.read('grant', await this.#keyOf())
    return this.#see({ raw: read.raw, grant: readableGrant(read) })
  }

  /**
   * Applies one event to the record that was seen.
   *
   * @returns the record as it is now, or undefined when somebody else was faster
   */
  async apply(seen: Seen, event: GrantEvent): Promise<Seen | undefined> {
    const next = grant(seen.grant, event)
    if (next === seen.grant) return seen
    const expiresAt = next.phase === 'absent' && !next.lease ? this.#runtime.clock.now() + DAY : undefined
    const written = await this.#runtime.records.write('grant', await this.#keyOf(), seen.raw, next, expiresAt)
    return written === undefined ? undefined : this.#see({ raw: written.raw, grant: next })
  }

  /** Applies one event to whatever the record is, as often as it takes. */
  async settle(event: GrantEvent): Promise<Seen> {
    for (;;) {
      const done = await this.apply(await this.read(), event)
      if (done !== undefined) return done
    }
  }

  /** Takes over what a store refused to write, so that it serves from memory. */
  keep(event: GrantEvent): void {
    if (this.known !== undefined) this.#see({ raw: undefined, grant: grant(this.known, event) })
  }

  async #keyOf(): Promise<string> {
    this.#key ??= await this.#runtime.records.key('grant', this.#parts)
    return this.#key
  }

  #see(seen: Seen): Seen {
    const changed = this.known === undefined || JSON.stringify(this.known) !== JSON.stringify(seen.grant)
    this.known = seen.grant
    if (changed) this.#changed()
    return seen
  }
}

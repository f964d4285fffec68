import { type Grant, type GrantEvent, grant } from './grant.js'
import { readableGrant } from './records.js'
import type { Runtime } from './runtime.js'

const DAY_MS = 86_400_000

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
  #looking: Promise<Seen> | undefined
  /** What the store refused to take: newer than what it still has. */
  #kept: Grant | undefined

  constructor(runtime: Runtime, url: string, account: string | undefined, changed: () => void) {
    this.#runtime = runtime
    this.#parts = [url, account]
    this.#changed = changed
  }

  /** Reads where nothing is known yet; all who come meanwhile share the one read, because a keychain takes its time for each. */
  async look(): Promise<void> {
    if (this.known !== undefined) return
    this.#looking ??= this.read().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  async read(): Promise<Seen> {
    const { raw, grant: stored } = await this.#load()
    const kept = this.#kept
    if (kept === undefined || stored.got >= kept.got) this.#kept = undefined
    // Older than what serves from memory: whoever writes next writes the newer over it.
    else return this.#see({ raw, grant: { ...kept, turn: Math.max(kept.turn, stored.turn) } })
    return this.#see({ raw, grant: stored })
  }

  /**
   * Applies one event to the record that was seen.
   *
   * @returns the record as it is now, or undefined when somebody else was faster
   */
  async apply(seen: Seen, event: GrantEvent): Promise<Seen | undefined> {
    const next = grant(seen.grant, event)
    if (next === seen.grant) return seen
    const { records, clock } = this.#runtime
    const expiresAt = next.phase === 'absent' && !next.lease ? clock.now() + DAY_MS : undefined
    const written = await records.write(await this.#keyOf(), seen.raw, next, expiresAt)
    return written && this.#see({ raw: written.raw, grant: next })
  }

  /** Applies one event to whatever the store has, as often as it takes. */
  async settle(event: GrantEvent): Promise<Seen> {
    for (;;) {
      const done = await this.apply(await this.#load(), event)
      if (done !== undefined) return done
    }
  }

  /** Takes over what a store refused to write, so that it serves from memory. */
  keep(event: GrantEvent): void {
    if (this.known === undefined) return
    this.#kept = grant(this.known, event)
    this.#see({ raw: undefined, grant: this.#kept })
  }

  /** Writes what `keep` took over, unless the store has it, or better, by now. */
  async writeKept(event: GrantEvent & { readonly turn: number }): Promise<void> {
    for (;;) {
      const seen = await this.#load()
      if (seen.grant.got >= event.turn || (await this.apply(seen, event))) return
    }
  }

  async #load(): Promise<Seen> {
    const read = await this.#runtime.records.read('grant', await this.#keyOf())
    return { raw: read.raw, grant: readableGrant(read) }
  }

  async #keyOf(): Promise<string> {
    this.#key ??= await this.#runtime.records.key('grant', this.#parts)
    return this.#key
  }

  #see(seen: Seen): Seen {
    const changed = JSON.stringify(this.known) !== JSON.stringify(seen.grant)
    this.known = seen.grant
    if (changed) this.#changed()
    return seen
  }
}

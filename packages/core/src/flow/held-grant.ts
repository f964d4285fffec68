import { CountersignError } from '../errors/error.js'
import { DAY_MS } from '../primitives/day.js'
import { type Grant, type GrantEvent, grant } from './grant.js'
import { readableGrant } from './records.js'
import type { Runtime } from './runtime.js'

/** The record as it was read: what a compare-and-set starts from. */
export interface Seen {
  readonly raw: string | undefined
  readonly grant: Grant
  /** What of it the store has refused to take so far. */
  readonly kept?: readonly GrantEvent[] | undefined
}

/** One connection's grant: the stored record, and what is known of it without asking the store. */
export class HeldGrant {
  /** The newest that this connection has seen; undefined until the store has answered once. */
  known: Grant | undefined
  /** Why nothing is known: what the store has said instead. */
  refusal: CountersignError | undefined
  readonly #runtime: Runtime
  readonly #parts: readonly (string | undefined)[]
  readonly #changed: () => void
  readonly #applied: (was: Grant, event: GrantEvent, now: Grant) => void
  #key: string | undefined
  #looking: Promise<Seen> | undefined
  #kept: Seen['kept']

  /**
   * @param changed - called when another record is known
   * @param applied - is told every event that this connection has put into the record
   */
  constructor(
    runtime: Runtime,
    url: string,
    account: string | undefined,
    changed: () => void,
    applied: (was: Grant, event: GrantEvent, now: Grant) => void,
  ) {
    this.#runtime = runtime
    this.#parts = [url, account]
    this.#changed = changed
    this.#applied = applied
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
    const { records } = this.#runtime
    const reading = this.#keyOf().then((key) => records.read('grant', key))
    const read = await reading.catch((error) => this.#refused(error))
    const stored = readableGrant(read)
    const held = this.#kept?.reduce(grant, stored) ?? stored
    if (held === stored) this.#kept = undefined
    return this.#see({ raw: read.raw, grant: notOlder(held, this.known), kept: this.#kept })
  }

  /**
   * Applies one event to the record that was seen.
   *
   * @returns the record as it is now, or undefined when somebody else was faster
   */
  async apply(seen: Seen, event: GrantEvent): Promise<Seen | undefined> {
    const next = grant(seen.grant, event)
    const applied = next === seen.grant ? seen : await this.#write(seen, next)
    if (applied) this.#applied(seen.grant, event, next)
    return applied
  }

  /** Applies one event to whatever the store has, as often as it takes. */
  async settle(event: GrantEvent): Promise<void> {
    while ((await this.apply(await this.read(), event)) === undefined);
  }

  /** Takes over what a store refused to write, so that it serves from memory. */
  keep(event: GrantEvent): void {
    this.#kept = [...(this.#kept ?? []), event]
    if (this.known !== undefined) this.#see({ raw: undefined, grant: grant(this.known, event) })
  }

  /** Writes what `keep` took over, unless the store has it by now. */
  async writeKept(): Promise<void> {
    while (this.#kept !== undefined) {
      const seen = await this.read()
      if (seen.kept !== undefined) await this.#write(seen, seen.grant)
    }
  }

  /**
   * Sees what others write, in another tab say, where the store can tell.
   *
   * @returns ends it
   */
  follow(): () => void {
    let [over, busy, news] = [false, false, false]
    let end: (() => void) | undefined
    // One reading at a time, so that what was read last counts.
    const read = async (): Promise<void> => {
      news = true
      if (busy) return
      busy = true
      try {
        for (; news && !over; await this.read()) news = false
      } catch {
        // In the snapshot where nothing is known yet; else the next call that needs the store says it.
      }
      busy = false
    }
    const begin = async (): Promise<void> => {
      const key = await this.#keyOf()
      if (over) return
      end = this.#runtime.records.watch(key, () => void read())
      if (end) await read()
    }
    begin()
      .catch((error) => this.#refused(error))
      .catch(() => undefined)
    return () => {
      over = true
      end?.()
    }
  }

  async #write(seen: Seen, next: Grant): Promise<Seen | undefined> {
    const { records, clock } = this.#runtime
    const expiresAt = next.phase === 'absent' ? clock.now() + DAY_MS : undefined
    const written = await records.write(await this.#keyOf(), seen.raw, next, expiresAt)
    if (written === undefined) return undefined
    if (seen.kept === this.#kept) this.#kept = undefined
    return this.#see({ raw: written.raw, grant: next })
  }

  async #keyOf(): Promise<string> {
    this.#key ??= await this.#runtime.records.key('grant', this.#parts)
    return this.#key
  }

  /** Who looks at the snapshot waits for nothing that does not come. */
  #refused(error: unknown): never {
    if (CountersignError.is(error) && this.known === undefined) {
      this.refusal = error
      this.#changed()
    }
    throw error
  }

  #see(seen: Seen): Seen {
    const changed = JSON.stringify(this.known) !== JSON.stringify(seen.grant)
    this.known = seen.grant
    if (changed) this.#changed()
    return seen
  }
}

/** A store that has gone back brings nothing back: of two results of one login, the later one counts. */
function notOlder(stored: Grant, known: Grant | undefined): Grant {
  if (stored.phase === 'absent' || known === undefined || known.phase === 'absent') return stored
  const { phase, granted, got } = known
  if (stored.grant !== known.grant || stored.got >= got) return stored
  return { ...stored, phase, granted, got, turn: Math.max(stored.turn, known.turn) }
}

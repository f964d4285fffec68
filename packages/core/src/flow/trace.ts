import type { Diagnostic, TraceEntry } from '../ports/log.js'

/** Entries that a connector remembers, of all its connections together: an idle connection holds none of its own. */
const MOST = 512

/** Whose entry it is. */
interface Owner {
  readonly url?: string | undefined
  readonly account?: string | undefined
}

interface Kept extends Owner {
  readonly exchange?: TraceEntry | undefined
  readonly diagnostic?: Diagnostic | undefined
}

/** The last exchanges of a connector, and what it tolerated. */
export class Trace {
  readonly #kept: Kept[] = []

  /** The same deviation at the same place is kept once: a record that cannot be read is found so by every request. */
  keep({ url, account, exchange, diagnostic }: Kept): void {
    const again = (kept: Kept): boolean =>
      sameOwner(kept, { url, account }) && JSON.stringify(kept.diagnostic) === JSON.stringify(diagnostic)
    if (exchange === undefined && (diagnostic === undefined || this.#kept.some(again))) return
    this.#kept.push({ url, account, exchange: exchange && Object.freeze(exchange), diagnostic })
    if (this.#kept.length > MOST) this.#kept.shift()
  }

  exchanges(owner: Owner): readonly TraceEntry[] {
    return this.#kept.flatMap((kept) => (kept.exchange && sameOwner(kept, owner) ? [kept.exchange] : []))
  }

  /** @param record - the key of a record whose diagnostics are the owner's, too */
  diagnostics(owner: Owner, record: string): readonly Diagnostic[] {
    return this.#kept.flatMap((kept) => {
      const { diagnostic } = kept
      return diagnostic && (sameOwner(kept, owner) || diagnostic.url === record) ? [diagnostic] : []
    })
  }
}

const sameOwner = (a: Owner, b: Owner): boolean => a.url === b.url && a.account === b.account

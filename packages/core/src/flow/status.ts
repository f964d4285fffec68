import type { CountersignError } from '../errors/error.js'
import { deriveSnapshot, type Known, restoring, type Snapshot } from './snapshot.js'

/** The snapshot of one connection, and who wants to know when it changes. */
export class Status {
  snapshot: Snapshot = restoring
  /** A request was refused for want of a person. */
  personNeeded = false
  /** How the last login ended, if badly. */
  failure: CountersignError | undefined
  readonly #known: () => Omit<Known, 'personNeeded' | 'failure'>
  #listeners: Set<() => void> | undefined

  constructor(known: () => Omit<Known, 'personNeeded' | 'failure'>) {
    this.#known = known
  }

  subscribe(listener: () => void): () => void {
    this.#listeners ??= new Set()
    this.#listeners.add(listener)
    return () => this.#listeners?.delete(listener)
  }

  /** Derives the snapshot anew, and tells the listeners if it is another. */
  changed(): void {
    const { personNeeded, failure } = this
    const next = deriveSnapshot({ ...this.#known(), personNeeded, failure })
    if (same(next, this.snapshot)) return
    this.snapshot = next
    for (const listener of [...(this.#listeners ?? [])]) listener()
  }
}

const same = (a: Snapshot, b: Snapshot): boolean =>
  a.status === b.status &&
  a.refreshing === b.refreshing &&
  a.scope === b.scope &&
  a.expiresAt === b.expiresAt &&
  a.error === b.error

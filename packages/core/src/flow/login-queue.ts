/** Logins that requests opened, waiting for one person: one page at a time, in the order in which they came. */
export class LoginQueue {
  #shown: (() => void) | undefined
  readonly #waiting = new Set<() => void>()

  /** Calls `start` as soon as no other login of the queue is before the person: at once, if there is none. */
  enter(start: () => void): void {
    this.#waiting.add(start)
    this.#next()
  }

  /** Ends a login, or gives its place up. Idempotent. */
  leave(start: () => void): void {
    this.#waiting.delete(start)
    if (this.#shown !== start) return
    this.#shown = undefined
    this.#next()
  }

  #next(): void {
    if (this.#shown !== undefined) return
    const [first] = this.#waiting
    if (first === undefined) return
    this.#waiting.delete(first)
    this.#shown = first
    first()
  }
}

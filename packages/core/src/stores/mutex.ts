/** One after the other for each name, in the order of asking; different names do not wait for each other. */
export class Mutex {
  readonly #tails = new Map<string, Promise<unknown>>()

  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(name)
    const result = (async () => {
      await before
      return work()
    })()
    // A failure is its own caller's, and not that of whoever comes next.
    const tail = result.catch(() => undefined)
    this.#tails.set(name, tail)
    try {
      return await result
    } finally {
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
    }
  }
}

/** One piece of work at a time for a key: who asks for it meanwhile joins. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>()

  /**
   * Starts `work` at once, or joins what is under way for `key`. When it settles, well or not, the next call starts anew.
   *
   * @returns the same promise for everyone who joined
   */
  run(key: string, work: () => Promise<T>): Promise<T> {
    const underWay = this.#flights.get(key)
    if (underWay) return underWay
    // The async wrapper turns a synchronous throw into a rejection.
    const flight = (async () => work())()
    this.#flights.set(key, flight)
    const land = () => this.#flights.delete(key)
    flight.then(land, land)
    return flight
  }
}

/**
 * Where records live. Values are opaque strings to the store.
 *
 * Consume-once is `get`, then `replace(key, value, undefined)`; a lease is a value put with `replace`. There is no lock:
 * a lock apart from the data can be lost without the data knowing.
 */
export interface Store {
  /** Where the records are, in words for a person. */
  readonly name: string
  /** `undefined` where there is none, or it has expired. One that cannot be read is a failure, never `undefined`. */
  get(key: string): Promise<string | undefined>
  /**
   * Compare-and-set: writes `next` only if the value is still `expected`; `undefined` stands for absent on both sides.
   *
   * @param options.expiresAt - milliseconds since the epoch after which the store may drop the record
   * @returns whether the value was written
   */
  replace(
    key: string,
    expected: string | undefined,
    next: string | undefined,
    options?: { readonly expiresAt?: number },
  ): Promise<boolean>
  /** Every key that starts with `prefix`. */
  keys(prefix: string): Promise<readonly string[]>
  /** Calls `changed` when somebody else may have changed the record. Where a store cannot tell, it is polled. */
  watch?(key: string, changed: () => void): () => void
}

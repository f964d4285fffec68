/** Where the key pairs of sender-constrained tokens live (RFC 9449): one a login, non-extractable where the runtime can keep one so. */
export interface Keys {
  /**
   * Makes and keeps a key pair.
   *
   * @param id - a name that no other pair has
   * @param algorithm - a JWS algorithm, `'ES256'` for one
   */
  create(id: string, algorithm: string): Promise<CryptoKeyPair>
  /** The pair of this id; `undefined` where there is none. */
  load(id: string): Promise<CryptoKeyPair | undefined>
  /** Forgets the pair; one that is not there is no failure. */
  delete(id: string): Promise<void>
  /** All that are kept, so that keys of abandoned logins are found and deleted. */
  ids(): Promise<readonly string[]>
}

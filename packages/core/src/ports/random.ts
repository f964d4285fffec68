/** Cryptographically strong random bytes. */
export type Random = (bytes: number) => Uint8Array

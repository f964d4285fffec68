/** One request that was sent with a token of this connector. Nothing in it is secret. */
export interface AuditEntry {
  /** When it was sent, the last time if more than once, in milliseconds since the epoch. */
  readonly at: number
  /** Where it was sent, without query: a query can be a secret. */
  readonly url: string
  /** Whose login it is; absent: the only one. */
  readonly account?: string
  /** Of HTTP. */
  readonly method: string
  /** Of the answer that the caller got, or of the last that was refused; absent: none came. */
  readonly status?: number
  /** Who had issued the token. */
  readonly issuer: string
  /** For which client; absent where an assertion alone was the credential. */
  readonly clientId?: string
}

/** Is told each request once, and not waited for. What it throws or rejects with is dropped. */
export type Audit = (entry: AuditEntry) => void

import type { Exchange } from '../servers/index.js'

/** What the labels of the exchanges say of one login: whether it can still be kept, whoever holds it. */
export class LoginTruth {
  /** How often an answer was lost after its commit, or the request came to a strict server twice. */
  unheardOf = 0
  /** How often the server gave again what had been lost. */
  forgiven = 0
  /** A strict server was asked twice, and has ended the login. */
  duplicated = false
  /** The server has said that the login is over. */
  refused = false
  /** For whoever has to find out what went wrong. */
  readonly history: string[] = []
  readonly #graceMs: number
  /** The server has committed, and nobody has heard of it. */
  #unheard: Exchange | undefined
  #retryLost = false
  /** A request with the present token broke off before it reached the server: its one prompt retry is used up. */
  #retried = false

  /** @param graceMs - how long the server forgives a token that was spent; 0: it is strict */
  constructor(graceMs: number) {
    this.#graceMs = graceMs
  }

  happened(exchange: Exchange): void {
    const { fault, committed, delivered, reached, at } = exchange
    const labels = Object.entries({ committed, delivered, reached }).flatMap(([label, is]) => (is ? label : []))
    this.history.push(`${fault} (${labels}) at ${at}`)
    if (fault === 'drop before') this.#retried = true
    if (committed && delivered) this.#retried = false
    if (this.#graceMs === 0 && committed && fault.startsWith('duplicate')) {
      this.duplicated = true
      this.unheardOf++
    } else if (this.#unheard !== undefined) {
      if (committed && delivered) {
        this.#unheard = undefined
        this.forgiven++
      } else if (at - this.#unheard.at <= this.#graceMs) this.#retryLost = true
    } else if (committed && !delivered) {
      this.#unheard = exchange
      this.#retryLost = false
      this.unheardOf++
    }
    if (reached && !committed && delivered) this.refused = true
    // The second answer is the refusal, although the first was a commit.
    if (this.duplicated && delivered && fault === 'duplicate, second answer') this.refused = true
  }

  /** At a server that forgives: the prompt retry had gone before the server's commit, so that none came after it. */
  get retriedTooEarly(): boolean {
    return this.#graceMs > 0 && this.#retried && !this.#retryLost
  }

  /** Whether it is not over, but will be once the server is asked again. */
  get inDoubt(): boolean {
    return this.duplicated || this.#unheard !== undefined
  }

  /**
   * Whether it may be lost. At a strict server where an answer was lost, or the request came twice. At one that forgives where
   * the prompt retry was lost too, of which a token has one, or where nothing at all came for longer than a server forgives.
   */
  get mayBeLost(): boolean {
    if (this.duplicated) return true
    if (this.#unheard === undefined) return false
    return this.#graceMs === 0 || this.#retryLost || this.#retried || this.#unheard.fault === 'silence'
  }
}

import { type Action, type ErrorCode, remedyOf } from './codes.js'
import { publicUrl, quoteForeign } from './text.js'

/** What the person is asked for, in an `interaction_required` error: enough for a host to draw its own button. */
export interface InteractionNeed {
  /** The MCP server's whole URL. Where it has a query it is not enumerable, so that JSON and `inspect` do not show it. */
  readonly url: string
  /** Whose login it is; absent: the only one. */
  readonly account?: string
  /** What a login has to cover, space-separated. */
  readonly scope?: string
  /** Nobody has signed in, the login is no longer good, or what is wanted needs more scope than it has. */
  readonly reason: 'no_login' | 'login_ended' | 'more_scope'
}

/** The server's own words (RFC 6749 section 5.2), sanitised. */
export interface OAuthErrorBody {
  /** A code of the specifications, `invalid_grant` say, or of the server's own. */
  readonly error: string
  /** For a developer. Text from outside: never to be rendered as markup. */
  readonly error_description?: string
}

/** Evidence of a failure. Texts from outside are capped and escaped by the constructor, URLs lose their query. */
export interface Failure {
  readonly step: string
  readonly url?: string | undefined
  readonly expected?: string | undefined
  readonly received?: string | undefined
  /** Replaces the code's own hint. */
  readonly hint?: string | undefined
  readonly action?: Action | undefined
  /** Milliseconds since the epoch. */
  readonly retryAt?: number | undefined
  readonly interaction?: InteractionNeed | undefined
  readonly oauth?: OAuthErrorBody | undefined
  readonly cause?: unknown
}

/** A `CountersignError` that has been through JSON: these, and of its other members those that it has. */
export interface ErrorRecord {
  /** As of the error. */
  readonly code: ErrorCode
  /** As of the error. */
  readonly step: string
  /** The whole sentence: step, code, URL, evidence, hint. */
  readonly message: string
}

/**
 * Every failure of OAuth, and of what Countersign is given. `code` is closed: a `switch` over it can be exhaustive. What the
 * runtime's `fetch` throws for the MCP request itself is none of these, and reaches the caller unchanged.
 *
 * @example
 * ```ts
 * try {
 *   await client.connect(transport)
 * } catch (error) {
 *   if (CountersignError.is(error) && error.code === 'interaction_required') showSignIn(error.interaction)
 *   else throw error
 * }
 * ```
 */
export class CountersignError extends Error {
  declare readonly code: ErrorCode
  /** The step that failed, in OAuth's own words: `discover`, `register`, `exchange`, `refresh`, … */
  declare readonly step: string
  /** The URL that was being used, without query and fragment. */
  declare readonly url?: string
  /** What should have come, where there is such evidence. */
  declare readonly expected?: string
  /** What came instead; text from outside is shortened and escaped. */
  declare readonly received?: string
  /** What to do, naming the setting where one exists. */
  declare readonly hint: string
  /** Who can act: the person, nobody but time, whoever configures the host, or the operator of the server. */
  declare readonly action: Action
  /** When trying again makes sense, in milliseconds since the epoch. */
  declare readonly retryAt?: number
  /** With `interaction_required`: what to ask the person for. */
  declare readonly interaction?: InteractionNeed
  /** Where the server answered with an OAuth error. */
  declare readonly oauth?: OAuthErrorBody

  constructor(code: ErrorCode, failure: Failure) {
    const [usualAction, usualHint] = remedyOf(code)
    const { step, hint = usualHint, action = usualAction } = failure
    const url = failure.url && publicUrl(failure.url)
    const expected = failure.expected && quoteForeign(failure.expected)
    const received = failure.received && quoteForeign(failure.received)
    const oauth = failure.oauth && sanitise(failure.oauth)
    const message = [
      `${step}: ${code.replaceAll('_', ' ')}${url ? ` (${url})` : ''}.`,
      oauth && `The server says "${Object.values(oauth).join(': ')}".`,
      expected && `Expected ${expected}.`,
      received && `Received ${received}.`,
      hint,
    ]
    super(message.filter(Boolean).join(' '), failure)
    this.name = 'CountersignError'
    // Through JSON, where a member that is undefined is none.
    const members = { ...failure, code, url, expected, received, hint, action, oauth, cause: undefined }
    Object.assign(this, JSON.parse(JSON.stringify(members)))
    // A host needs the whole URL to connect; where its query may be a secret, nothing that is written down shows it.
    if (this.interaction && publicUrl(this.interaction.url) !== this.interaction.url) {
      Object.defineProperty(this.interaction, 'url', { enumerable: false })
    }
    // MCP client 2.x lets an error with this mark through version negotiation as itself.
    Object.defineProperty(this, Symbol.for('mcp.authSeamEscape'), { value: true })
  }

  /** The error as plain data, without `cause` and stack. */
  toJSON(): ErrorRecord {
    const { name: _, ...members } = this
    return { ...members, message: this.message }
  }

  /** Whether `value` is an error of Countersign, of whichever copy of the package. */
  static is(value: unknown): value is CountersignError {
    return value instanceof Error && value.name === 'CountersignError' && 'code' in value && 'hint' in value
  }
}

const sanitise = ({ error, error_description }: OAuthErrorBody): OAuthErrorBody => ({
  error: quoteForeign(error),
  ...(error_description && { error_description: quoteForeign(error_description) }),
})

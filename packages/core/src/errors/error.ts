import { type Action, type ErrorCode, remedyOf } from './codes.js'
import { publicUrl, quoteForeign } from './text.js'

/** What the person is asked for, in an `interaction_required` error: enough for a host to draw its own button. */
export interface InteractionNeed {
  readonly url: string
  readonly account?: string
  readonly scope?: string
  readonly reason: 'no_login' | 'login_ended' | 'more_scope'
}

/** The server's own words (RFC 6749 section 5.2), sanitised. */
export interface OAuthErrorBody {
  readonly error: string
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

/** A `CountersignError` that has been through JSON. */
export interface ErrorRecord {
  readonly code: ErrorCode
  readonly step: string
  readonly message: string
}

/**
 * Every failure of Countersign. `code` is closed: a `switch` over it can be exhaustive.
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
  readonly code: ErrorCode
  /** The step that failed, in OAuth's own words: `discover`, `register`, `exchange`, `refresh`, … */
  readonly step: string
  /** The URL that was being used, without query and fragment. */
  readonly url?: string
  readonly expected?: string
  readonly received?: string
  /** What to do, naming the setting where one exists. */
  readonly hint: string
  readonly action: Action
  /** When trying again makes sense, in milliseconds since the epoch. */
  readonly retryAt?: number
  readonly interaction?: InteractionNeed
  readonly oauth?: OAuthErrorBody

  constructor(code: ErrorCode, failure: Failure) {
    const [action, hint] = remedyOf(code)
    const said = failure.hint ?? hint
    const url = failure.url === undefined ? undefined : publicUrl(failure.url)
    const expected = failure.expected === undefined ? undefined : quoteForeign(failure.expected, 500)
    const received = failure.received === undefined ? undefined : quoteForeign(failure.received, 500)
    const evidence = [
      failure.oauth && `The server says ${describeOAuth(failure.oauth)}.`,
      expected !== undefined && `Expected ${expected}.`,
      received !== undefined && `Received ${received}.`,
    ].filter((line) => line !== false && line !== undefined)
    super(
      [`${failure.step}: ${code.replaceAll('_', ' ')}${url === undefined ? '' : ` (${url})`}.`, ...evidence, said].join(
        ' ',
      ),
      {
        ...(failure.cause !== undefined && { cause: failure.cause }),
      },
    )
    this.name = 'CountersignError'
    this.code = code
    this.step = failure.step
    this.hint = said
    this.action = failure.action ?? action
    if (url !== undefined) this.url = url
    if (expected !== undefined) this.expected = expected
    if (received !== undefined) this.received = received
    if (failure.retryAt !== undefined) this.retryAt = failure.retryAt
    if (failure.interaction !== undefined) this.interaction = failure.interaction
    if (failure.oauth !== undefined) this.oauth = sanitise(failure.oauth)
    // MCP client 2.x lets an error with this mark through version negotiation as itself.
    Object.defineProperty(this, Symbol.for('mcp.authSeamEscape'), { value: true })
  }

  /** The error as plain data, without `cause` and stack. */
  toJSON(): ErrorRecord {
    const { code, step, url, expected, received, hint, action, retryAt, interaction, oauth, message } = this
    return JSON.parse(
      JSON.stringify({ code, step, url, expected, received, hint, action, retryAt, interaction, oauth, message }),
    )
  }

  /** Whether `value` is an error of Countersign, of whichever copy of the package. */
  static is(value: unknown): value is CountersignError {
    return value instanceof Error && value.name === 'CountersignError' && 'code' in value && 'hint' in value
  }
}

const sanitise = (body: OAuthErrorBody): OAuthErrorBody => ({
  error: quoteForeign(body.error, 100),
  ...(body.error_description !== undefined && { error_description: quoteForeign(body.error_description, 500) }),
})

function describeOAuth(body: OAuthErrorBody): string {
  const { error, error_description } = sanitise(body)
  return error_description === undefined ? `"${error}"` : `"${error}" (${error_description})`
}

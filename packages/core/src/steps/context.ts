import type { ErrorCode } from '../errors/codes.js'
import { CountersignError, type Failure } from '../errors/error.js'
import type { Http, HttpResponse } from '../http/http.js'
import { retryAfter } from '../http/retry-after.js'
import type { Invalid, Parsed, Tolerated } from '../messages/parsed.js'
import type { Clock } from '../ports/clock.js'
import type { Diagnostic } from '../ports/log.js'
import type { Random } from '../ports/random.js'

/** Proofs of possession for requests to an authorization server (RFC 9449). */
export interface Proofs {
  /** Whether a token may or must be bound to the key that is proven. */
  readonly binding: 'possible' | 'required'
  /** Is told what kind of token came for a proof. */
  issued(url: string, token_type: string): void
  /**
   * Sends a request with a proof of its own, and once more where it lacked a nonce that the answer brings.
   *
   * @param key - `Target.dpop_key_id`
   * @param send - sends it anew with these headers
   */
  through(
    key: string,
    url: string,
    send: (headers: Readonly<Record<string, string>>) => Promise<HttpResponse>,
  ): Promise<HttpResponse>
  /** What there is to do about a proof that the server refuses. */
  refused(headers: Headers): Pick<Failure, 'action' | 'hint'>
}

/** What a step may use. */
export interface StepContext {
  readonly http: Http
  readonly clock: Clock
  readonly random: Random
  /** Refuse even what is tolerated with a diagnostic. */
  readonly strict: boolean
  readonly diagnose: (diagnostic: Diagnostic) => void
  /** @throws CountersignError `dpop_required` where the host has not brought them in */
  readonly proofs: () => Proofs
}

/** Where a deviation was seen, and the error that a strict connector makes of it. */
export interface Seen {
  readonly step: string
  readonly url: string
  readonly refusal: ErrorCode
}

/**
 * Says what was tolerated.
 *
 * @throws CountersignError `seen.refusal` where the connector is strict
 */
export function tolerate(context: StepContext, seen: Seen, tolerated: readonly Tolerated[]): void {
  for (const { code, ...deviation } of tolerated) {
    if (context.strict) throw refuse(seen, deviation)
    context.diagnose({ code, url: seen.url, ...deviation })
  }
}

/** The error for a message that cannot be used. */
export const refuse = ({ refusal, step, url }: Seen, invalid: Invalid): CountersignError =>
  new CountersignError(refusal, { step, url, ...invalid })

/**
 * What a message says.
 *
 * @throws CountersignError `seen.refusal` where it cannot be used, or deviates and the connector is strict
 */
export function accept<T>(context: StepContext, seen: Seen, parsed: Parsed<T>): T {
  if ('invalid' in parsed) throw refuse(seen, parsed.invalid)
  tolerate(context, seen, parsed.tolerated)
  return parsed.value
}

/** Whether a status says that the request did what it was for (RFC 9110 section 15.3). */
export const succeeded = (status: number): boolean => status >= 200 && status < 300

/** Whether a status says that the server cannot answer now: it is busy or broken. */
export const cannotAnswer = (status: number): boolean => [408, 425, 429].includes(status) || status >= 500

/** Whether it may go well the next time: that a server does not answer says nothing about what it has. */
export const notNow = ({ code }: CountersignError): boolean =>
  ['cross_origin_blocked', 'network_error', 'request_timeout', 'server_unavailable'].includes(code)

/** The error for a server that cannot answer now. */
export const unavailable = (context: StepContext, step: string, response: HttpResponse): CountersignError =>
  new CountersignError('server_unavailable', {
    step,
    url: response.url,
    received: `HTTP ${response.status}`,
    retryAt: retryAfter(response.headers.get('retry-after'), context.clock.now()),
  })

import { CountersignError } from '../errors/error.js'
import { publicUrl } from '../errors/text.js'
import { retryAfter } from '../http/retry-after.js'
import type { Parsed } from '../messages/parsed.js'
import type { StepContext } from './context.js'

/** What one candidate URL had to say. */
export type Candidate<T> =
  | { readonly found: Extract<Parsed<T>, { readonly value: T }>; readonly url: string; readonly headers: Headers }
  /** Not there, or not metadata: the next candidate may have it. */
  | { readonly missed: string }
  /** Not now. It may be there, so its absence proves nothing. */
  | { readonly failed: CountersignError }

/** Why no candidate served, in the order they were asked. */
export interface Misses {
  /** `URL: reason` for each. */
  readonly reasons: readonly string[]
  /** Set when one of them could not answer: then nothing is known about what the server publishes. */
  readonly failure: CountersignError | undefined
}

const TRANSIENT = new Set(['network_error', 'request_timeout'])

/** Asks one well-known URL. Any 4xx is a miss, whatever it says: gateways answer for documents that do not exist. */
export async function fetchCandidate<T>(
  context: StepContext,
  step: string,
  url: string,
  parse: (text: string) => Parsed<T>,
  signal: AbortSignal | undefined,
): Promise<Candidate<T>> {
  try {
    const response = await context.http.send({ step, method: 'GET', url, signal })
    const { status } = response
    if (status === 429 || status >= 500) {
      return {
        failed: new CountersignError('server_unavailable', {
          step,
          url,
          received: `HTTP ${status}`,
          retryAt: retryAfter(response.headers.get('retry-after'), context.clock.now()),
        }),
      }
    }
    if (status < 200 || status >= 300) {
      return { missed: status === 401 ? 'HTTP 401: the document itself asks for authorization' : `HTTP ${status}` }
    }
    const found = parse(response.text)
    return 'value' in found
      ? { found, url: response.url, headers: response.headers }
      : { missed: `no metadata: expected ${found.invalid.expected}, received ${found.invalid.received}` }
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    if (TRANSIENT.has(error.code)) return { failed: error }
    if (error.code === 'redirect_refused' || error.code === 'response_too_large') {
      return { missed: error.received ?? error.expected ?? error.code }
    }
    throw error
  }
}

/** One line for each URL that was tried. */
export const tried = (url: string, reason: string): string => `${publicUrl(url)}: ${reason}`

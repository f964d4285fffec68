import { CountersignError } from '../errors/error.js'
import { publicUrl } from '../errors/text.js'
import type { Parsed } from '../messages/parsed.js'
import { accept, cannotAnswer, notNow, type Seen, type StepContext, succeeded, unavailable } from './context.js'

/** A search for a metadata document. */
export interface Search<T> {
  /** Where it may be, in the order to ask. */
  readonly urls: readonly string[]
  readonly parse: (text: string) => Parsed<T>
  /** What a strict connector makes of a document that deviates. */
  readonly refusal: Seen['refusal']
  /** Why a document that was read is not the one; undefined takes it. */
  readonly objection: (value: T, url: string) => string | undefined
  readonly signal: AbortSignal | undefined
}

/** A metadata document, and what the URLs before it had to say. */
export interface Found<T> {
  readonly value: T
  readonly url: string
  readonly headers: Headers
  readonly missed: string
}

/** A search without a document. */
export interface NotFound {
  /** What each URL answered. */
  readonly missed: string
  /** Every URL said that it has no metadata: there is none. Elsewhere it may just be out of reach. */
  readonly absent: boolean
  /** The first that could not answer, so that nothing is known. */
  readonly failure: CountersignError | undefined
}

/**
 * Asks well-known URLs in order for a metadata document. Any 4xx is a miss, whatever it says, because gateways answer for
 * documents that do not exist; so is what is not metadata.
 *
 * @throws CountersignError `search.refusal`, and what the door throws but for `network_error` and `request_timeout`
 */
export async function findDocument<T>(
  context: StepContext,
  { urls, parse, refusal, objection, signal }: Search<T>,
): Promise<Found<T> | NotFound> {
  const step = 'discover'
  const misses: string[] = []
  let failure: CountersignError | undefined
  let absent = true
  for (const asked of urls) {
    const miss = (reason: string): unknown => misses.push(`${publicUrl(asked)}: ${reason}`)
    try {
      const response = await context.http.send({ step, method: 'GET', url: asked, signal })
      const { status, url, headers, text } = response
      if (cannotAnswer(status)) throw unavailable(context, step, response)
      const parsed = parse(text)
      const reason = !succeeded(status)
        ? `HTTP ${status}`
        : 'invalid' in parsed
          ? `expected ${parsed.invalid.expected}, received ${parsed.invalid.received}`
          : objection(parsed.value, asked)
      if (reason === undefined) {
        return { value: accept(context, { step, url, refusal }, parsed), url, headers, missed: misses.join('; ') }
      }
      miss(reason)
    } catch (error) {
      if (!CountersignError.is(error)) throw error
      if (notNow(error)) failure ??= error
      else if (error.code !== 'redirect_refused' && error.code !== 'response_too_large') throw error
      absent = false
      miss(error.received ?? error.code)
    }
  }
  return { missed: misses.join('; '), absent, failure }
}

import { CountersignError } from '../errors/error.js'
import { publicUrl } from '../errors/text.js'
import type { Parsed } from '../messages/parsed.js'
import { type StepContext, succeeded, unavailable } from './context.js'

/** A metadata document, and what the URLs before it had to say. */
export interface Found<T> {
  readonly found: Extract<Parsed<T>, { readonly value: T }>
  readonly url: string
  readonly headers: Headers
  readonly misses: readonly string[]
}

/** Failures after which a document may still be there, so that its absence proves nothing. */
const NOT_NOW = new Set(['network_error', 'request_timeout', 'server_unavailable'])
const MISSES = new Set(['redirect_refused', 'response_too_large'])

/**
 * Asks well-known URLs in order for a metadata document. Any 4xx is a miss, whatever it says, because gateways answer for
 * documents that do not exist; so is what is not metadata.
 *
 * @param accept - why a document that was read is not the one; undefined takes it
 * @returns the document, or only the misses
 * @throws CountersignError the first `server_unavailable`, `network_error` or `request_timeout` where no URL had the document
 */
export async function findDocument<T>(
  context: StepContext,
  urls: readonly string[],
  parse: (text: string) => Parsed<T>,
  accept: (value: T, url: string) => string | undefined,
  signal?: AbortSignal,
): Promise<Found<T> | Pick<Found<T>, 'misses'>> {
  const step = 'discover'
  const misses: string[] = []
  let failure: CountersignError | undefined
  for (const url of urls) {
    const miss = (reason: string): unknown => misses.push(`${publicUrl(url)}: ${reason}`)
    try {
      const response = await context.http.send({ step, method: 'GET', url, signal })
      const { status, headers } = response
      if (status === 429 || status >= 500) throw unavailable(context, step, response)
      const read = succeeded(status) ? parse(response.text) : undefined
      if (read === undefined) {
        miss(`HTTP ${status}`)
      } else if ('value' in read) {
        const reason = accept(read.value, url)
        if (reason === undefined) return { found: read, url: response.url, headers, misses }
        miss(reason)
      } else {
        miss(`expected ${read.invalid.expected}, received ${read.invalid.received}`)
      }
    } catch (error) {
      if (!CountersignError.is(error) || !(NOT_NOW.has(error.code) || MISSES.has(error.code))) throw error
      if (NOT_NOW.has(error.code)) failure ??= error
      miss(error.received ?? error.code)
    }
  }
  if (failure !== undefined) throw failure
  return { misses }
}

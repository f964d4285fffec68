import { CountersignError } from '../errors/error.js'
import { publicUrl } from '../errors/text.js'
import type { Clock } from '../ports/clock.js'
import type { Fetch } from '../ports/fetch.js'
import type { TraceEntry } from '../ports/log.js'
import { parseUrl } from '../primitives/parse-url.js'
import { urlProblem } from '../primitives/url-policy.js'
import { withDeadline } from './deadline.js'
import { networkFailure } from './network-failure.js'
import { readBody } from './read-body.js'

/** The largest body that any OAuth document may have, in bytes. */
const MAX_BYTES = 1_048_576
const MAX_REDIRECTS = 3

export interface HttpRequest {
  /** The step this belongs to, for errors and the trace. */
  readonly step: string
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | URLSearchParams
  readonly signal?: AbortSignal | undefined
  /** Replaces the connector's `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined
  /** How many redirects of a GET are followed. Default: 3 */
  readonly redirects?: number
}

/** An answer, read to its end. */
export interface HttpResponse {
  /** After redirects. */
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** The door to the network. Nothing else in core sends an OAuth request. */
export interface Http {
  /**
   * Sends one request, with a deadline, a size cap and the URL policy; any status is an answer.
   *
   * Redirects of a GET are followed within the origin, a few times; those of a POST never, because they would carry
   * secrets along (RFC 9700 section 4.12).
   *
   * @throws CountersignError `network_error`, `request_timeout`, `request_aborted`, `response_too_large`,
   * `redirect_refused`, `url_not_allowed`
   */
  send(request: HttpRequest): Promise<HttpResponse>
}

export interface HttpOptions {
  readonly fetch: Fetch
  readonly clock: Clock
  readonly timeoutMs: number
  /** The MCP server whose authorization this is: a public one may not point at a private address. */
  readonly serverUrl: string
  readonly allowPrivate: readonly string[] | undefined
  readonly trace: (exchange: TraceEntry) => void
}

export function createHttp({ fetch, clock, timeoutMs, serverUrl, allowPrivate, trace }: HttpOptions): Http {
  const hop = async (request: HttpRequest, url: string, signal: AbortSignal): Promise<Response> => {
    const { step, method, headers, body = null } = request
    const received = urlProblem(url, { from: serverUrl, allowPrivate })
    if (received !== undefined) throw new CountersignError('url_not_allowed', { step, url, received })
    const sent = sendable(step, { accept: 'application/json', ...headers })
    const at = clock.now()
    const began = clock.monotonic()
    const note = (outcome: Pick<TraceEntry, 'status' | 'note'>): void =>
      trace({ at, step, method, url: publicUrl(url), durationMs: Math.round(clock.monotonic() - began), ...outcome })
    try {
      const response = await fetch(url, { method, headers: sent, body, redirect: 'manual', signal })
      note({ status: response.status })
      return response
    } catch (cause) {
      const error = networkFailure(step, url, cause)
      note({ note: signal.aborted ? 'no answer' : `${error.received}` })
      throw error
    }
  }

  const exchange = async (
    request: HttpRequest,
    signal: AbortSignal,
    url: string = request.url,
    redirects: number = request.redirects ?? MAX_REDIRECTS,
  ): Promise<HttpResponse> => {
    const { step, method } = request
    const response = await hop(request, url, signal)
    const { status, headers } = response
    if (response.type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304)) {
      response.body?.cancel().catch(() => undefined)
      const location = headers.get('location')
      const next = location === null ? undefined : parseUrl(location, url)
      if (method === 'GET' && redirects > 0 && next?.origin === new URL(url).origin) {
        return exchange(request, signal, next.href, redirects - 1)
      }
      const expected = `at most ${MAX_REDIRECTS} redirects within the origin, of a GET`
      const received = `HTTP ${status} to ${publicUrl(next ?? 'an unknown place')}`
      throw new CountersignError('redirect_refused', { step, url, expected, received })
    }
    const text = await readBody(response, MAX_BYTES).catch((cause: unknown) => {
      throw networkFailure(step, url, cause)
    })
    if (text !== undefined) return { url, status, headers, text }
    throw new CountersignError('response_too_large', { step, url, expected: `at most ${MAX_BYTES} bytes` })
  }

  return {
    send: (request) => {
      const { step, url, signal } = request
      const limit = request.timeoutMs ?? timeoutMs
      return withDeadline(
        {
          clock,
          timeoutMs: limit,
          signal,
          onTimeout: () => new CountersignError('request_timeout', { step, url, expected: `within ${limit} ms` }),
          onAbort: () => new CountersignError('request_aborted', { step, url, cause: signal?.reason }),
        },
        (stop) => exchange(request, stop),
      )
    },
  }
}

/**
 * Headers that carry secrets: the platform quotes one that it does not take.
 *
 * @throws CountersignError `options_invalid`
 */
export function sendable(step: string, headers: Readonly<Record<string, string>>): Headers {
  try {
    return new Headers(headers)
  } catch {
    const expected = 'credentials without control characters'
    throw new CountersignError('options_invalid', { step, expected, received: 'some that no header can carry' })
  }
}

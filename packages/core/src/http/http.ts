import { CountersignError } from '../errors/error.js'
import { publicUrl } from '../errors/text.js'
import type { Clock } from '../ports/clock.js'
import type { Fetch } from '../ports/fetch.js'
import type { TraceEntry } from '../ports/log.js'
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
  readonly headers?: Readonly<Record<string, string>> | Headers
  readonly body?: string | URLSearchParams
  readonly signal?: AbortSignal | undefined
  /** Replaces the connector's `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined
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

export function createHttp(options: HttpOptions): Http {
  const { clock } = options

  const hop = async (request: HttpRequest, url: string, signal: AbortSignal): Promise<Response> => {
    const problem = urlProblem(url, { from: options.serverUrl, allowPrivate: options.allowPrivate })
    if (problem !== undefined) {
      throw new CountersignError('url_not_allowed', { step: request.step, url, received: problem })
    }
    const at = clock.now()
    const began = clock.monotonic()
    const note = (more: Pick<TraceEntry, 'status' | 'note'>): void =>
      options.trace({
        at,
        step: request.step,
        method: request.method,
        url: publicUrl(url),
        durationMs: Math.round(clock.monotonic() - began),
        ...more,
      })
    try {
      const response = await options.fetch(url, {
        method: request.method,
        headers: { accept: 'application/json', ...Object.fromEntries(new Headers(request.headers)) },
        redirect: 'manual',
        signal,
        ...(request.body !== undefined && { body: request.body }),
      })
      note({ status: response.status })
      return response
    } catch (cause) {
      const error = networkFailure(request.step, url, cause)
      note({ note: signal.aborted ? 'no answer' : (error.received ?? 'no connection') })
      throw error
    }
  }

  const exchange = async (request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> => {
    let url = request.url
    for (let redirects = 0; ; redirects++) {
      const response = await hop(request, url, signal)
      const location = response.headers.get('location')
      const redirected = response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)
      if (!redirected || response.status === 304) {
        const text = await readBody(response, MAX_BYTES).catch((cause: unknown) => {
          throw networkFailure(request.step, url, cause)
        })
        if (text !== undefined) return { url, status: response.status, headers: response.headers, text }
        throw new CountersignError('response_too_large', {
          step: request.step,
          url,
          expected: `at most ${MAX_BYTES} bytes`,
        })
      }
      response.body?.cancel().catch(() => undefined)
      const next = location !== null && URL.canParse(location, url) ? new URL(location, url) : undefined
      const within = next !== undefined && next.origin === new URL(url).origin
      if (request.method !== 'GET' || !within || redirects === MAX_REDIRECTS) {
        throw new CountersignError('redirect_refused', {
          step: request.step,
          url,
          expected: request.method === 'GET' ? `at most ${MAX_REDIRECTS} redirects within the origin` : 'an answer',
          received: `HTTP ${response.status} to ${next === undefined ? 'an unknown place' : publicUrl(next)}`,
        })
      }
      url = next.href
    }
  }

  return {
    send: (request) => {
      const { step, url } = request
      const timeoutMs = request.timeoutMs ?? options.timeoutMs
      return withDeadline(
        {
          clock,
          timeoutMs,
          signal: request.signal,
          onTimeout: () => new CountersignError('request_timeout', { step, url, expected: `within ${timeoutMs} ms` }),
          onAbort: () => new CountersignError('request_aborted', { step, url, cause: request.signal?.reason }),
        },
        (signal) => exchange(request, signal),
      )
    },
  }
}

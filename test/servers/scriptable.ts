import type { IncomingHttpHeaders } from 'node:http'
import { type Answer, readBody, sendAnswer } from './answer.js'
import { listen } from './listener.js'

/** A request as a test's handler sees it, and as the log keeps it. */
export interface ScriptableRequest {
  readonly method: string
  /** The absolute URL. */
  readonly url: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** When it arrived, in milliseconds since the epoch. */
  readonly at: number
}

/** Decides what a request gets; `undefined` is a 404. */
export type ScriptableHandler = (request: ScriptableRequest) => Answer | undefined | Promise<Answer | undefined>

/** A server that says what a test tells it to. */
export interface ScriptableServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly origin: string
  /** Every request, in the order of arrival. */
  readonly requests: readonly ScriptableRequest[]
  /** What the handler threw; the client got a 500 for it. */
  readonly errors: readonly unknown[]
  clearRequests(): void
  close(): Promise<void>
}

/** Starts a server whose answers a test writes: for what a real server cannot be made to do. */
export async function startScriptableServer(handler: ScriptableHandler): Promise<ScriptableServer> {
  const requests: ScriptableRequest[] = []
  const errors: unknown[] = []

  const listener = await listen((origin) => async (incoming, response) => {
    try {
      const body = await readBody(incoming)
      const url = new URL(incoming.url ?? '/', origin)
      const request: ScriptableRequest = {
        method: incoming.method ?? 'GET',
        url: url.href,
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        body: body.toString('utf8'),
        at: Date.now(),
      }
      requests.push(request)
      const answer = (await handler(request)) ?? { status: 404, body: 'not found' }
      await sendAnswer(response, answer)
    } catch (error) {
      // A client that goes away in the middle of its own request is not an error of the script.
      if (incoming.errored) return
      errors.push(error)
      if (response.headersSent) response.destroy()
      else await sendAnswer(response, { status: 500, body: 'the test handler threw' })
    }
  })

  return {
    origin: listener.origin,
    requests,
    errors,
    clearRequests: () => {
      requests.length = 0
    },
    close: listener.close,
    [Symbol.asyncDispose]: listener.close,
  }
}

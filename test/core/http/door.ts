import type { Fetch, TraceEntry } from '@countersign/core'
import { createHttp, type HttpRequest, type HttpResponse } from '../../../packages/core/src/http/http.js'
import { type SimulatedClock, simulatedClock } from '../../support/simulated-clock.js'

export const url = 'https://as.example/token?secret=1'

/** The door to the network, with a network that a test has written. */
export function door(
  fetch: Fetch,
  more: { serverUrl?: string; allowPrivate?: readonly string[] } = {},
): {
  readonly clock: SimulatedClock
  readonly traced: TraceEntry[]
  send(request?: Partial<HttpRequest>): Promise<HttpResponse>
} {
  const clock = simulatedClock()
  const traced: TraceEntry[] = []
  const http = createHttp({
    fetch,
    clock,
    timeoutMs: 30_000,
    serverUrl: 'https://mcp.example/mcp',
    allowPrivate: undefined,
    trace: (entry) => traced.push(entry),
    ...more,
  })
  return { clock, traced, send: (request) => http.send({ step: 'exchange', method: 'POST', url, ...request }) }
}

/** What the platform's `fetch` throws when there is no answer. */
export const fetchFailed = (code: string): TypeError =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(`connect ${code}`), { code }) })

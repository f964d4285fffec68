import type { Fetch, Log, LogEvent, LogEventType } from '@countersign/node'
import type { Deviation, Exchange, Report } from './report.js'
import type { Stage } from './stage.js'

/** Everything that was sent, and everything that the connector said about it. */
export interface Traffic {
  readonly exchanges: readonly Exchange[]
  readonly deviations: readonly Deviation[]
  /** The connector's log, as the host got it. */
  readonly events: readonly LogEvent[]
  /** For the connector's MCP requests: the runtime's `fetch`, watched. */
  readonly fetch: Fetch
  /** For the connector's log. */
  readonly log: Log
  /** For the demo's own requests, which go past the connector. */
  probe(step: string, url: string, init: RequestInit): Promise<Response>
  /** What was sent after a given count of exchanges. */
  since(count: number): readonly Exchange[]
}

const eventTexts: Partial<Record<LogEventType, string>> = {
  login_started: 'a sign-in begins',
  login_waiting: 'a person is asked, and the flow waits for the answer',
  login_completed: 'the tokens are stored',
  refreshed: 'the new tokens are stored, then used',
  signed_out: 'the tokens are forgotten here, and then revoked there',
}

export function createTraffic({ sideOf }: Pick<Stage, 'sideOf'>, report: Report, elapsedMs: () => number): Traffic {
  const exchanges: Exchange[] = []
  const deviations: Deviation[] = []
  const events: LogEvent[] = []

  const keep = (exchange: Omit<Exchange, 'type' | 'atMs' | 'to'>): void => {
    const line: Exchange = { type: 'exchange', atMs: elapsedMs(), to: sideOf(exchange.url), ...exchange }
    exchanges.push(line)
    report(line)
  }

  const watched =
    (by: Exchange['by'], step: string | undefined): Fetch =>
    async (input, init) => {
      const request = new URL(input instanceof Request ? input.url : input)
      const sent = {
        by,
        step: step ?? rpcOf(init),
        method: init?.method ?? 'GET',
        url: request.origin + request.pathname,
        ...(sideOf(request.href) === 'mcp' && { authorization: carried(init) }),
      }
      const began = elapsedMs()
      try {
        const response = await fetch(input, init)
        keep({ ...sent, status: response.status, durationMs: elapsedMs() - began })
        const challenge = response.headers.get('www-authenticate')
        if (challenge !== null) {
          report({ type: 'note', atMs: elapsedMs(), about: 'challenge', text: withoutQueries(challenge) })
        }
        return response
      } catch (error) {
        keep(sent)
        throw error
      }
    }

  const log: Log = (event) => {
    events.push(event)
    const { exchange, diagnostic, error } = event
    if (exchange !== undefined) {
      const { step, method, url, status, durationMs } = exchange
      const answer = { ...(status !== undefined && { status }), ...(durationMs !== undefined && { durationMs }) }
      keep({ by: 'connector', step, method, url, ...answer })
    } else if (diagnostic !== undefined) {
      const line: Deviation = { type: 'diagnostic', atMs: elapsedMs(), ...diagnostic }
      deviations.push(line)
      report(line)
    } else {
      const text = error?.message ?? eventTexts[event.type] ?? ''
      report({ type: 'event', atMs: elapsedMs(), event: event.type, text })
    }
  }

  return {
    exchanges,
    deviations,
    events,
    fetch: watched('client', undefined),
    log,
    probe: (step, url, init) => watched('demo', step)(url, init),
    since: (count) => exchanges.slice(count),
  }
}

/** Queries of URLs carry secrets. */
export const withoutQueries = (text: string): string => text.replace(/(https?:[^\s"'?#]*)[?#][^\s"']*/gi, '$1')

const carried = (init: RequestInit | undefined): 'token' | 'bare' =>
  new Headers(init?.headers).has('authorization') ? 'token' : 'bare'

/** What a request of an MCP client is for: its JSON-RPC method, and the tool of a call. */
function rpcOf(init: RequestInit | undefined): string {
  if (typeof init?.body !== 'string') return init?.method === 'DELETE' ? 'end of session' : 'stream'
  const { method = '', params } = JSON.parse(init.body) as { method?: string; params?: { name?: string } }
  return method === 'tools/call' ? `${method} ${params?.name ?? ''}` : method.replace(/^notifications\//, '')
}

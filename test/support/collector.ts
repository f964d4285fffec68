import type { Diagnostic, Log, LogEvent } from '@countersign/core'

/** A log that keeps what it is told. */
export interface Collector {
  readonly log: Log
  readonly events: readonly LogEvent[]
  /** What happened, without the exchanges and diagnostics. */
  readonly types: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
  /** `step METHOD /path status` of each exchange. */
  readonly exchanges: readonly string[]
  clear(): void
}

export function collector(): Collector {
  const events: LogEvent[] = []
  return {
    log: (event) => {
      events.push(event)
    },
    events,
    get types() {
      return events.flatMap(({ type }) => (type === 'exchange' || type === 'diagnostic' ? [] : [type]))
    },
    get diagnostics() {
      return events.flatMap(({ diagnostic }) => diagnostic ?? [])
    },
    get exchanges() {
      return events.flatMap(({ exchange }) =>
        exchange === undefined
          ? []
          : [
              `${exchange.step} ${exchange.method} ${new URL(exchange.url).pathname} ${exchange.status ?? exchange.note}`,
            ],
      )
    },
    clear: () => {
      events.length = 0
    },
  }
}

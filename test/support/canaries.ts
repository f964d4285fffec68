import { inspect } from 'node:util'
import type { AuditEntry, Connection, Connector, LogEvent } from '@countersign/core'

/** Everything that a host could print, and the search through it. */
export interface Hearing {
  readonly log: (event: LogEvent) => void
  readonly audit: (entry: AuditEntry) => void
  /** Keeps what a call threw. */
  hear(call: Promise<unknown>): Promise<void>
  /** Keeps what a connection shows every time that it changes, and what it and its connector say when the search begins. */
  watch(connection: Connection, connector: Connector): void
  /** How much was heard, so that a search through nothing is not mistaken for a good one. */
  readonly heard: {
    readonly errors: number
    readonly events: number
    readonly snapshots: number
    readonly entries: number
  }
  /** The names of the secrets that can be read somewhere, and where. */
  leaks(secrets: Readonly<Record<string, string>>): Promise<readonly string[]>
}

export function hearing(): Hearing {
  const heard = { errors: 0, events: 0, snapshots: 0, entries: 0 }
  const watched: (() => Promise<void>)[] = []
  const texts: { readonly from: string; readonly text: string }[] = []

  const keep = (from: string, value: unknown): void => {
    const all = inspect(value, {
      showHidden: true,
      depth: 30,
      maxStringLength: null,
      maxArrayLength: null,
      getters: true,
    })
    texts.push({ from, text: all }, { from, text: JSON.stringify(value) ?? '' }, { from, text: String(value) })
    if (value instanceof Error) texts.push({ from, text: `${value.message}\n${value.stack}` })
  }

  return {
    heard,
    log: (event) => {
      heard.events++
      keep(`the log event ${event.type}`, event)
    },
    audit: (entry) => {
      heard.entries++
      keep('an audit entry', entry)
    },
    hear: async (call) => {
      try {
        await call
      } catch (error) {
        heard.errors++
        keep(`the error ${(error as { code?: string }).code}`, error)
      }
    },
    watch: (connection, connector) => {
      watched.push(async () => {
        keep('the trace', connection.trace())
        keep('the explanation', await connection.explain())
        // Where a login is held: with the query of its URL, because it is there to be connected to.
        for (const { url: _, ...stored } of await connector.connections()) keep('what is held', stored)
      })
      connection.subscribe(() => {
        heard.snapshots++
        keep('a snapshot', connection.getSnapshot())
      })
    },
    leaks: async (secrets) => {
      for (const look of watched) await look()
      const found = new Set<string>()
      for (const [name, secret] of Object.entries(secrets)) {
        if (secret.length < 8) throw new Error(`${name} is too short to be looked for`)
        for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
          for (const { from, text } of texts) if (text.includes(form)) found.add(`${name} in ${from}`)
        }
      }
      return [...found].sort()
    },
  }
}

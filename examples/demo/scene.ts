import type { Connection } from '@countersign/node'
import type { Checks } from './checks.js'
import type { Session } from './client.js'
import type { Report } from './report.js'
import type { Stage } from './stage.js'
import type { Traffic } from './traffic.js'
import type { Visitor } from './visitor.js'
import type { WatchedStore } from './watched-store.js'

/** What the phases of the demo share. */
export interface Scene {
  readonly stage: Stage
  readonly connection: Connection
  readonly visitor: Visitor
  readonly store: WatchedStore
  readonly traffic: Traffic
  readonly checks: Checks
  readonly report: Report
  /** Connects a client, which is closed when the demo ends, however it ends. */
  connect(): Promise<Session>
  /** The same, with a client of the other SDK. */
  connect2(): Promise<Session>
  /** Announces the next phase. */
  phase(title: string): void
  /** Says what happens outside the connector. */
  say(about: string, text: string): void
}

/** How many requests of a phase had this step. */
export const countOf = (exchanges: Traffic['exchanges'], step: string): number =>
  exchanges.filter((exchange) => exchange.step === step).length

/** A client opens its stream for server messages in the background: waited for, so that it has its place in the story. */
export async function streamOpened({ traffic }: Scene, since = 0): Promise<void> {
  for (let wait = 0; wait < 100 && countOf(traffic.since(since), 'stream') === 0; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** How many logins were opened in the whole run. */
export const loginsOpened = ({ traffic }: Scene): number =>
  traffic.events.filter(({ type }) => type === 'login_started').length

import { CountersignError } from '../errors/error.js'
import { publicUrl } from '../errors/text.js'
import type { Tokens } from '../messages/token-response.js'
import type { Clock } from '../ports/clock.js'
import type { Fetch } from '../ports/fetch.js'
import type { Diagnostic, LogEvent } from '../ports/log.js'
import type { Presence } from '../ports/presence.js'
import type { Random } from '../ports/random.js'
import type { Store } from '../ports/store.js'
import { SingleFlight } from '../primitives/single-flight.js'
import { memoryStore } from '../stores/memory.js'
import type { ConnectionCore } from './connection-core.js'
import { LoginQueue } from './login-queue.js'
import type { ConnectorOptions } from './options.js'
import { Records } from './records.js'
import { systemClock, systemRandom } from './system.js'
import { Trace } from './trace.js'

/** What the connections of one connector share. */
export interface Runtime {
  readonly options: ConnectorOptions
  readonly clock: Clock
  readonly random: Random
  readonly fetch: Fetch
  readonly oauthFetch: Fetch
  readonly presence: Presence | undefined
  readonly records: Records
  readonly store: Store
  readonly trace: Trace
  readonly requestTimeoutMs: number
  readonly loginTimeoutMs: number
  readonly interactionWaitMs: number
  /** Ids of the leases that this connector took; false once nobody here works under it any more. */
  readonly leases: Map<string, boolean>
  /** Completions under way, by `state`. */
  readonly completions: SingleFlight<unknown>
  /** Logins that requests opened: they wait for each other. */
  readonly queue: LoginQueue
  /** Work that `close` ends or waits for. */
  readonly working: Set<Working>
  /** Connections that somebody listens to, by listener: they are not collected. */
  readonly listening: Map<object, ConnectionCore>
  /** Connections whose person is elsewhere, by `state`, until the login expires (milliseconds since the epoch). */
  readonly carried: Map<string, { readonly core: ConnectionCore; readonly until: number }>
  /** The header of the token that was sent last: one for all connections, because an idle one should hold nothing. */
  prepared: { readonly tokens: Tokens; readonly headers: Headers } | undefined
  closed: boolean
  emit(event: Omit<LogEvent, 'at'>): void
}

/** Something under way: `cancel` where it may be given up, else it is waited for. */
export interface Working {
  readonly done: Promise<unknown>
  readonly cancel: ((reason: CountersignError) => void) | undefined
}

export function createRuntime(options: ConnectorOptions): Runtime {
  const clock = options.clock ?? systemClock
  const store = options.store ?? memoryStore(() => clock.now())
  const platformFetch: Fetch = (input, init) => globalThis.fetch(input, init)
  const { log } = options
  const trace = new Trace()
  const emit = (event: Omit<LogEvent, 'at'>): void => {
    const { url, account, exchange, diagnostic } = event
    trace.keep({ url, account, exchange, diagnostic: diagnostic && withoutQuery(diagnostic) })
    tell(() => log?.(published({ ...event, at: clock.now() })))
  }
  return {
    options,
    clock,
    random: options.random ?? systemRandom,
    fetch: options.fetch ?? platformFetch,
    oauthFetch: options.oauthFetch ?? platformFetch,
    presence: options.presence,
    records: new Records(
      store,
      options.appId ?? 'countersign',
      () => clock.now(),
      (diagnostic) => emit({ type: 'diagnostic', level: 'warn', diagnostic }),
    ),
    store,
    trace,
    requestTimeoutMs: duration('requestTimeoutMs', options.requestTimeoutMs, 30_000),
    loginTimeoutMs: duration('loginTimeoutMs', options.loginTimeoutMs, 600_000),
    interactionWaitMs: duration('interactionWaitMs', options.interactionWaitMs, 45_000),
    leases: new Map(),
    completions: new SingleFlight(),
    queue: new LoginQueue(),
    working: new Set(),
    listening: new Map(),
    carried: new Map(),
    prepared: undefined,
    closed: false,
    emit,
  }
}

/** An event as a host may write it down: the query of a URL can be a secret. */
function published(event: LogEvent): LogEvent {
  const { url, diagnostic } = event
  return {
    ...event,
    ...(url !== undefined && { url: publicUrl(url) }),
    ...(diagnostic && { diagnostic: withoutQuery(diagnostic) }),
  }
}

const withoutQuery = (diagnostic: Diagnostic): Diagnostic => ({ ...diagnostic, url: publicUrl(diagnostic.url) })

/** Tells the host something. Its defects are its own: they must not cost a token that is on its way meanwhile. */
export function tell(listener: () => unknown): void {
  // A listener may be async whatever its type says, and fail then. Whoever could be told was the one that failed.
  const told = (async () => listener())()
  told.catch(() => undefined)
}

function duration(name: string, value: number | undefined, normally: number): number {
  if (value === undefined) return normally
  if (Number.isFinite(value) && value > 0) return value
  throw new CountersignError('options_invalid', {
    step: 'connect',
    expected: `${name} as a positive number of milliseconds`,
    received: String(value),
  })
}

/**
 * Registers work for `close`, for as long as it is under way.
 *
 * @param cancel - gives the work up; without it, `close` waits for its end
 * @throws CountersignError `connector_closed`
 */
export async function track<T>(runtime: Runtime, work: () => Promise<T>, cancel?: Working['cancel']): Promise<T> {
  if (runtime.closed) throw new CountersignError('connector_closed', { step: 'connect' })
  return finish(runtime, work, cancel)
}

/** As `track`, for what has to be brought to its end although the connector is closing. */
export async function finish<T>(runtime: Runtime, work: () => Promise<T>, cancel?: Working['cancel']): Promise<T> {
  const done = work()
  const entry: Working = { cancel, done: done.catch(() => undefined) }
  runtime.working.add(entry)
  try {
    return await done
  } finally {
    runtime.working.delete(entry)
  }
}

import { type ConnectorOptions, createConnector, memoryStore, type Store } from '@countersign/core'
import { beforeEach } from 'vitest'
import { type Answer, type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from './closing.js'
import { type Collector, collector } from './collector.js'
import { grantIn, type Seed, seedGrant } from './seeded.js'
import { type SimulatedClock, simulatedClock } from './simulated-clock.js'
import { scriptedAgent, type WatchedAgent } from './watched-agent.js'

export interface Login {
  readonly connection: ReturnType<ReturnType<typeof createConnector>['connect']>
  readonly connector: ReturnType<typeof createConnector>
  readonly clock: SimulatedClock
  readonly store: Store
  readonly agent: WatchedAgent
  readonly seen: Collector
  /** Another process of the same application, over the same store. */
  another(options?: ConnectorOptions): Login['connection']
  /** The refresh tokens that were sent, in order. */
  readonly spent: readonly (string | null)[]
  record(): ReturnType<typeof grantIn>
}

/** A scripted server, and logins that an earlier process has left: access token `a1`, refresh token `r1`, good for 300 s. */
export function refreshing(): {
  readonly server: ScriptedAuthorization
  login(more?: { readonly seed?: Partial<Seed>; readonly tokens?: object } & ConnectorOptions): Promise<Login>
} {
  const open = closing()
  let server: ScriptedAuthorization
  beforeEach(async () => {
    server = open(await scriptedAuthorization())
    server.accessTokens.add('a1')
    server.refreshTokens.add('r1')
  })
  return {
    get server() {
      return server
    },
    async login({ seed, tokens, ...options } = {}) {
      const clock = simulatedClock()
      const store = options.store ?? memoryStore(() => clock.now())
      const agent = scriptedAgent()
      const seen = collector()
      const { url } = server
      await seedGrant(store, {
        url,
        tokens: {
          access_token: 'a1',
          token_type: 'Bearer',
          refresh_token: 'r1',
          issued_at: clock.now(),
          expires_at: clock.now() + 300_000,
          ...tokens,
        },
        ...seed,
      })
      const connector = (more: ConnectorOptions = {}) =>
        open(
          createConnector({
            appId: 'test',
            clock,
            random,
            ...(options.credentials === undefined && { userAgent: agent }),
            log: seen.log,
            ...options,
            store,
            ...more,
          }),
        )
      const own = connector()
      return {
        connector: own,
        connection: own.connect(url),
        clock,
        store,
        agent,
        seen,
        another: (more) => connector(more).connect(url),
        get spent() {
          return server.requests
            .filter(({ path }) => path === '/token')
            .map(({ body }) => new URLSearchParams(body).get('refresh_token'))
        },
        record: () => grantIn(store, url),
      }
    },
  }
}

/** One byte is asked for where a lifetime is spread: here it never is. */
const random = (bytes: number): Uint8Array =>
  bytes === 1 ? new Uint8Array(1) : crypto.getRandomValues(new Uint8Array(bytes))

/** A route, or other work, that answers when the test says so, with what the test says then. */
export function onDemand<T = Answer | undefined>(): {
  readonly route: () => Promise<T>
  readonly asked: Promise<void>
  answer(...with_: undefined extends T ? [T?] : [T]): void
} {
  let arrived = (): void => undefined
  let settle = (_: T): void => undefined
  const asked = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const answered = new Promise<T>((resolve) => {
    settle = resolve
  })
  return {
    route: () => {
      arrived()
      return answered
    },
    asked,
    answer: (...with_) => settle(with_[0] as T),
  }
}

/** A token response. */
export const tokenResponse = (members: object): Answer => ({
  json: { access_token: 'a2', token_type: 'Bearer', expires_in: 300, refresh_token: 'r2', ...members },
})

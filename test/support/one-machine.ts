import {
  type Connection,
  type Connector,
  type ConnectorOptions,
  CountersignError,
  createConnector,
  memoryStore,
  type Page,
  type Store,
} from '@countersign/core'
import { afterEach } from 'vitest'
import { type Collector, collector } from './collector.js'
import { type SimulatedClock, simulatedClock } from './simulated-clock.js'
import { soon } from './soon.js'
import { followRedirect, type WatchedAgent, watched } from './watched-agent.js'

type Redirect = Extract<Page, { readonly kind: 'redirect' }>

export interface ProcessOptions extends ConnectorOptions {
  /** Whether the others can see that it is there. Default: true. */
  readonly seen?: boolean
  /** Whether its user agent takes over a page that is open. Default: true. */
  readonly resumes?: boolean
  /** Whether it can open a page at all. Default: true. */
  readonly opens?: boolean
}

/** A process of the application `test` that is not one: it has its own connector, user agent and log. */
export interface Process {
  readonly connection: Connection
  readonly connector: Connector
  readonly agent: WatchedAgent
  readonly log: Collector
  /** Resolves when so many pages have been shown. */
  shown(count?: number): Promise<void>
  /** Resolves when it follows the login of another. */
  follows(): Promise<void>
  /** As `kill -9`: nothing of it goes on, and its ports are free. */
  kill(): void
  /** As `SIGSTOP`; the ports stay bound. */
  stop(): void
  go(): void
}

/** One machine: a store, a row of two ports, a clock, and a person. */
export interface Machine {
  readonly store: Store
  readonly clock: SimulatedClock
  start(options?: ProcessOptions): Process
  /** The person acts at a page: what comes of it reaches whoever listens at its redirect URI. False: nobody does. */
  comeBack(page: Page | undefined, how?: 'approve' | 'decline'): Promise<boolean>
  /** Lets time pass, in which those who follow look at the record, until something has come about. */
  until<T>(came: Promise<T>): Promise<T>
}

/** A machine whose processes need the same server. */
export function oneMachine(url: () => string): () => Machine {
  const started: { readonly connector: Connector; readonly over: () => boolean }[] = []
  afterEach(async () => {
    await Promise.all(started.splice(0).map(({ connector, over }) => (over() ? undefined : connector.close())))
  })
  return () => {
    const clock = simulatedClock()
    const store = memoryStore(() => clock.now())
    const listeners = new Map<string, { readonly of: string; deliver(parameters: URLSearchParams): void }>()
    const dead = new Set<string>()
    let count = 0

    const start = ({ seen = true, resumes = true, opens = true, ...options }: ProcessOptions = {}): Process => {
      const name = `process-${++count}`
      const log = collector()
      let running: Promise<unknown> = Promise.resolve()
      let go = (): void => undefined
      const turn = async <T>(work: () => Promise<T>): Promise<T> => {
        await running
        const came = await work()
        await running
        return came
      }
      const agent = watched({
        onDemand: true,
        begin: ({ signal }) => {
          let bound: string | undefined
          let delivered = (_: URLSearchParams): void => undefined
          const answer = new Promise<URLSearchParams>((resolve) => {
            delivered = resolve
          })
          const free = (): void => {
            if (bound !== undefined && listeners.get(bound)?.of === name) listeners.delete(bound)
          }
          signal.addEventListener('abort', free)
          return {
            way: async ({ resume }) => {
              free()
              const row = ['http://127.0.0.1:1/callback', 'http://127.0.0.1:2/callback']
              const wanted = resume === undefined ? row : resumes ? [resume.redirectUri] : []
              bound = wanted.find((uri) => !listeners.has(uri))
              if (bound === undefined) return undefined
              listeners.set(bound, { of: name, deliver: (parameters) => delivered(parameters) })
              const alternatives = row.filter((uri) => uri !== bound)
              return { kind: 'redirect', redirectUri: bound, ...(resume === undefined && { alternatives }) }
            },
            present: async () => {
              if (!opens) throw new CountersignError('browser_not_opened', { step: 'present' })
              return answer
            },
            end: async () => free(),
          }
        },
      })
      const connector = createConnector({
        appId: 'test',
        userAgent: agent,
        log: log.log,
        clock: { ...clock, sleep: (ms, signal) => turn(() => clock.sleep(ms, signal)) },
        store: {
          name: store.name,
          get: (key) => turn(() => store.get(key)),
          replace: (...args) => turn(() => store.replace(...args)),
          keys: (prefix) => turn(() => store.keys(prefix)),
        },
        presence: { self: async () => name, alive: async (holder) => (seen ? !dead.has(holder) : undefined) },
        ...options,
      })
      started.push({ connector, over: () => dead.has(name) })
      return {
        connection: connector.connect(url()),
        connector,
        agent,
        log,
        shown: (pages = 1) => soon(() => agent.pages.length).toBe(pages),
        follows: () => soon(() => log.types).toContain('login_followed'),
        kill: () => {
          dead.add(name)
          running = new Promise(() => undefined)
          for (const [uri, { of }] of listeners) if (of === name) listeners.delete(uri)
        },
        stop: () => {
          running = new Promise<void>((resolve) => {
            go = resolve
          })
        },
        go: () => go(),
      }
    }

    return {
      store,
      clock,
      start,
      comeBack: async (page, how = 'approve') => {
        const { authorizationUrl } = page as Redirect
        const { searchParams, origin } = new URL(authorizationUrl)
        const state = searchParams.get('state') ?? ''
        const parameters =
          how === 'approve'
            ? await followRedirect(authorizationUrl)
            : new URLSearchParams({ error: 'access_denied', state, iss: origin })
        const listener = listeners.get(searchParams.get('redirect_uri') ?? '')
        listener?.deliver(parameters as URLSearchParams)
        return listener !== undefined
      },
      until: async (came) => {
        let over = false
        const done = came.finally(() => {
          over = true
        })
        done.catch(() => undefined)
        while (!over) {
          await clock.advance(100)
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
        return done
      },
    }
  }
}

import {
  type Connection,
  type Connector,
  CountersignError,
  createConnector,
  dpop,
  type Fetch,
  indexedDbKeys,
  indexedDbStore,
  type LogEvent,
  memoryStore,
  popup,
  redirect,
  relayCallback,
} from '@countersign/browser'

/** How a test sets a page of the application up: plain data, because it comes from another process. */
export interface Setup {
  readonly url: string
  readonly agent?: 'popup' | 'redirect'
  readonly waitingUrl?: string
  readonly loginTimeoutMs?: number
  readonly requestTimeoutMs?: number
  readonly account?: string
  readonly store?: 'memory'
  /** Nobody listens, so that nothing is read before the first call. */
  readonly unread?: boolean
  /** Tokens are bound to a key. */
  readonly bound?: boolean
  /** Origins that are asked through the backend of the page, at `/oauth-forward`. */
  readonly forward?: readonly string[]
}

/** What came of a call: a value, or the error that a host would catch. */
export type Outcome =
  | { readonly value: unknown }
  | { readonly code: string; readonly message: string; readonly received?: string; readonly hint: string }

/** The application of the tests, as a page would have it; `window.app`. */
export class App {
  readonly events: LogEvent[] = []
  readonly statuses: string[] = []
  /** What came of the last click. */
  outcome: Promise<Outcome> | undefined
  /** For tests of the parts by themselves. */
  readonly parts = { indexedDbStore, indexedDbKeys, memoryStore, createConnector }
  connector: Connector | undefined
  connection: Connection | undefined

  start({ url, agent = 'popup', waitingUrl, account, store, unread, bound, forward, ...times }: Setup): void {
    const redirectUri = `${location.origin}/callback`
    this.connector = createConnector({
      appId: 'com.example.app',
      clientName: 'The tests',
      userAgent:
        agent === 'popup'
          ? popup({ redirectUri, ...(waitingUrl && { waitingUrl }) })
          : redirect({ redirectUri: `${location.origin}/returned` }),
      log: (event) => this.events.push(event),
      ...(store && { store: memoryStore() }),
      ...(bound && { dpop: dpop() }),
      ...(forward && { oauthFetch: throughBackend(forward) }),
      ...times,
    })
    this.connection = this.connector.connect(url, account === undefined ? {} : { account })
    const draw = (): void => {
      const { status = '' } = this.connection?.getSnapshot() ?? {}
      if (this.statuses.at(-1) !== status) this.statuses.push(status)
    }
    if (!unread) this.connection.subscribe(draw)
    document.querySelector('button')?.addEventListener('click', () => {
      this.outcome = settled(this.connection?.authorize({ appState: { returnTo: '/notes' } }))
    })
  }

  /** One tool call, as small as can be. */
  call(): Promise<Outcome> {
    return settled(
      this.connection
        ?.fetch(this.connection.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          body: JSON.stringify(initialize),
        })
        .then((response) => response.status),
    )
  }

  token(options?: { readonly refresh?: boolean }): Promise<Outcome> {
    return settled(this.connection?.token(options).then(({ accessToken }) => accessToken))
  }

  complete(callback: string): Promise<Outcome> {
    return settled(this.connector?.completeAuthorization(callback).then(({ appState }) => appState))
  }

  /** What the page at the popup's redirect URI does; `left` is what nobody took. */
  async relay(setup?: Setup): Promise<Outcome | 'relayed'> {
    const left = await relayCallback()
    if (!left) return 'relayed'
    if (setup) this.start(setup)
    return this.connector ? this.complete(`?${left}`) : { value: left.has('code') }
  }

  get status(): string | undefined {
    return this.connection?.getSnapshot().status
  }
}

/** As the documentation has it. */
const throughBackend =
  (withoutCors: readonly string[]): Fetch =>
  (input, init) => {
    const { href, origin } = new URL(String(input))
    return fetch(withoutCors.includes(origin) ? `/oauth-forward?url=${encodeURIComponent(href)}` : String(input), init)
  }

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'page', version: '1' } },
}

async function settled(work: Promise<unknown> | undefined): Promise<Outcome> {
  try {
    return { value: await work }
  } catch (error) {
    if (!CountersignError.is(error)) return { code: 'none of ours', message: String(error), hint: '' }
    const { code, message, received, hint } = error
    return { code, message, hint, ...(received !== undefined && { received }) }
  }
}

declare global {
  interface Window {
    app: App
  }
}

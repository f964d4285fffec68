import { type Connection, createConnector, memoryStore } from '@countersign/node'
import { expect } from 'vitest'
import { type Fault, startChaosProxy } from '../servers/index.js'
import { collector } from '../support/collector.js'
import { ping } from '../support/mcp-client.js'
import type { SeededRandom } from '../support/seeded-random.js'
import { type ShiftedClock, shiftedClock } from '../support/shifted-clock.js'
import { scriptedAgent } from '../support/watched-agent.js'
import { LoginTruth } from './login-truth.js'

/** A login, and the servers that it is at. */
export interface LaneServers extends AsyncDisposable {
  readonly url: string
  readonly tokenEndpoint: string
  /** A person who signs in at this page: the URL that the browser is sent back to. */
  person(page: string): Promise<string | URLSearchParams>
  /** How long a token that was spent is forgiven, in milliseconds. */
  readonly graceMs: number
}

export interface LaneOptions {
  readonly servers: (clock: ShiftedClock) => Promise<LaneServers>
  readonly random: SeededRandom
  readonly faults: readonly Fault[]
  readonly refreshes: number
}

/** What came of all refreshes of a lane. */
export interface Counts {
  refreshes: number
  /** Token requests, and those of them that something happened to. */
  requests: number
  faults: number
  /** Answers that were lost after the server's commit, and requests that came to it twice. */
  committedAndLost: number
  /** Of these, what a retry within the grace period has brought back, or a later answer. */
  forgiven: number
  lost: number
  /** Lost because the request came to the server twice: nobody here can know that. */
  lostByDuplicate: number
  /** Lost although the server forgives, because the one prompt retry of the token had been needed before the commit. */
  lostRetriedTooEarly: number
}

const TTL_MS = 300_000
/** Three times this is how long a refresh waits for its answer. */
const REQUEST_TIMEOUT_MS = 1_000

/** Refreshes one login after the other through a proxy that does not mean well. Throws for a loss that need not be. */
export async function chaosLane({ servers: start, random, faults, refreshes }: LaneOptions): Promise<Counts> {
  const clock = shiftedClock()
  await using servers = await start(clock)
  await using proxy = await startChaosProxy(servers.tokenEndpoint, { now: () => clock.now(), random: random.next })
  const seen = collector()
  const agent = scriptedAgent()
  // A host whose requests would open a browser by themselves, wherever no loss is possible.
  const lossless = faults.every((fault) => LOSSLESS.has(fault))
  await using connector = createConnector({
    appId: 'chaos',
    store: memoryStore(),
    clock,
    userAgent: agent,
    interaction: lossless ? 'on-demand' : 'explicit',
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    compatibility: { endpoints: { token: proxy.url } },
    log: seen.log,
  })
  const connection = connector.connect(servers.url)
  const counts: Counts = {
    refreshes: 0,
    requests: 0,
    faults: 0,
    committedAndLost: 0,
    forgiven: 0,
    lost: 0,
    lostByDuplicate: 0,
    lostRetriedTooEarly: 0,
  }

  const signIn = async (): Promise<LoginTruth> => {
    const { authorizationUrl, state } = await connection.beginAuthorization({ redirectUri: 'http://127.0.0.1:1/cb' })
    await connector.completeAuthorization(await servers.person(authorizationUrl), { state })
    return new LoginTruth(servers.graceMs)
  }

  let truth = await signIn()
  const draw = (): Fault | undefined => {
    // Silence is as long as it is in life: seldom.
    const fault = random.next() < 0.45 ? undefined : random.pick(faults)
    return fault === 'silence' && random.next() > 0.1 ? undefined : fault
  }
  // What is in doubt at the end is found out without further faults.
  while (counts.refreshes < refreshes || truth.inDoubt) {
    counts.refreshes++
    proxy.next = counts.refreshes <= refreshes ? draw : undefined
    const from = proxy.exchanges.length
    seen.clear()
    clock.forward(TTL_MS)
    let outcome = await refresh(connection)
    const ended = seen.types.filter((type) => type === 'rotation_lost' || type === 'spent')
    // The server is the judge of the access token, and by its clock that one has life left: it still serves.
    if (ended.length > 0 && outcome === 'ok') outcome = await codeOf(connection.token({ refresh: true }))
    const exchanges = proxy.exchanges.slice(from)
    counts.requests += exchanges.length
    counts.faults += exchanges.filter(({ fault }) => fault !== 'none').length

    for (const exchange of exchanges) truth.happened(exchange)
    const doing = `refresh ${counts.refreshes}: ${outcome}, ${seen.types}, after ${truth.history.slice(-8).join('; ')}`
    if (outcome === 'interaction_required') {
      if (!truth.mayBeLost) throw new Error(`a login was lost that need not be: ${doing}`)
      const known = ended[0] === 'rotation_lost' || (truth.duplicated && ended[0] === 'spent')
      if (!known) throw new Error(`a loss without its event: ${doing}`)
      counts.lost++
      if (truth.duplicated) counts.lostByDuplicate++
      if (truth.retriedTooEarly) counts.lostRetriedTooEarly++
      counts.committedAndLost += truth.unheardOf
      counts.forgiven += truth.forgiven
      truth = await signIn()
    } else {
      if (truth.refused) throw new Error(`the server has ended the login: ${doing}`)
      if (ended.length > 0 || (outcome === 'ok') !== seen.types.includes('refreshed')) throw new Error(doing)
      if (!KEPT.has(outcome)) throw new Error(`not an outcome of a refresh: ${doing}`)
      const retryAt = seen.events.findLast(({ error }) => error !== undefined)?.error?.retryAt ?? 0
      clock.forward(Math.max(0, retryAt - clock.now()))
    }
    if (agent.begun > 0) throw new Error(`a browser was opened: ${doing}`)
  }
  counts.committedAndLost += truth.unheardOf
  counts.forgiven += truth.forgiven
  return counts
}

const KEPT = new Set(['ok', 'server_unavailable', 'refresh_outcome_unknown', 'refresh_pending'])
export const LOSSLESS: ReadonlySet<Fault> = new Set(['drop before', 'delay', '429', '503 HTML'])

/** A request with a token that has expired: the refresh comes first. */
const refresh = (connection: Connection): Promise<string> =>
  codeOf(
    ping(connection).then(async (response) => {
      await response.arrayBuffer()
      expect(response.status).not.toBe(401)
    }),
  )

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { readonly code?: string }) => error.code ?? String(error),
  )

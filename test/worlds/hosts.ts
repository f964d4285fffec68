import {
  type Connector,
  type ConnectorOptions,
  CountersignError,
  createConnector,
  type UserAgent,
} from '@countersign/core'
import { ISSUER, URL_OF_SERVER } from './documents.js'
import type { Round } from './round.js'
import type { Process } from './simulation.js'

/** What a caller waits at most, and what scheduling may add, in milliseconds. */
const PATIENCE_MS = 48_000

/** What a request may end with, beside an answer, while the login is as good as ever. */
const KEPT = ['refresh_pending', 'refresh_outcome_unknown', 'server_unavailable', 'store_unavailable']
const PERSON_NEEDED = ['interaction_required', 'credentials_rejected']

/** A real connector in a process, whose every port is the simulation's. */
function connect(round: Round, process: Process, more: ConnectorOptions = {}): Connector {
  const { sim, store, server, world, named } = round
  return createConnector({
    appId: 'test',
    store: store.portOf(process),
    clock: sim.clockOf(process),
    random: sim.seed.bytes,
    presence: {
      self: async () => {
        named.add(String(process.id))
        return String(process.id)
      },
      alive: async (holder) => {
        if (!world.seen) return undefined
        if (world.blind || (world.lockLate && !named.has(holder))) return false
        return sim.processes[Number(holder)]?.dead === false
      },
    },
    interaction: 'never',
    client: { registered: { issuer: ISSUER, clientId: 'client' } },
    oauthFetch: (url, init) => server.fetch(process, String(url), new URLSearchParams(String(init?.body ?? ''))),
    fetch: async (_url, init) => server.answer(new Headers(init?.headers).get('authorization')),
    ...more,
  })
}

/** A host that makes requests for a while, and counts how they end. */
export async function use(round: Round, process: Process, requests: number): Promise<void> {
  const { sim, world, server, figures } = round
  const { between } = sim.seed
  const clock = sim.clockOf(process)
  let sent: string | null = null
  const { fetch } = connect(round, process, {
    fetch: async (_url, init) => {
      sent = new Headers(init?.headers).get('authorization')
      return server.answer(sent)
    },
    log: ({ type }) => {
      if (type === 'lease_waited' && server.accepts(sent)) figures.idle++
      if (type === 'spent' && server.again.has(process)) figures.mysteries++
    },
  }).connect(URL_OF_SERVER)
  await clock.sleep(between(0, world.lives ? 3 : 40) * 1_000)
  for (let made = 0; made < requests; made++) {
    const [began, stopped] = [sim.now, process.stoppedMs]
    const outcome = await fetch(URL_OF_SERVER, { method: 'POST' }).then(
      () => 'ok',
      (error: unknown) => (CountersignError.is(error) ? error.code : String(error)),
    )
    if (sim.now - began - (process.stoppedMs - stopped) > PATIENCE_MS) figures.waits++
    if (outcome === 'refresh_pending') figures.pending++
    if (PERSON_NEEDED.includes(outcome)) {
      if (round.good) figures.pages++
      return
    }
    if (outcome !== 'ok' && !KEPT.includes(outcome)) throw new Error(`a request ended with ${outcome}`)
    if (world.lives) {
      if (outcome !== 'ok') figures.starved++
      return
    }
    await clock.sleep(between(5, outcome === 'ok' ? (world.gap ?? 250) : 60) * 1_000)
  }
}

export async function signOut(round: Round, process: Process): Promise<void> {
  const connection = connect(round, process).connect(URL_OF_SERVER)
  await whenever(round, process)
  round.signedOut = { began: round.sim.now }
  await connection.signOut()
}

/** A person signs in, for more than before. */
export async function signIn(round: Round, process: Process): Promise<void> {
  const connector = connect(round, process, { interaction: 'explicit', userAgent: agreeable })
  await whenever(round, process)
  try {
    await connector.connect(URL_OF_SERVER).authorize({ force: true, scope: 'read write' })
  } catch (error) {
    // What a sign-out meanwhile ends is no failure.
    if (!CountersignError.is(error) || error.code !== 'login_cancelled') throw error
  }
}

const whenever = ({ sim }: Round, process: Process): Promise<void> =>
  sim.clockOf(process).sleep(sim.seed.between(15, 60) * 1_000)

const agreeable: UserAgent = {
  onDemand: false,
  begin: () => ({
    way: async () => ({ kind: 'redirect', redirectUri: 'http://127.0.0.1:1/callback' }),
    present: async (page) => new URLSearchParams({ code: 'code', state: 'state' in page ? page.state : '' }),
    end: async () => undefined,
  }),
}

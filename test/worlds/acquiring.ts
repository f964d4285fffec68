import { clientCredentials, createConnector } from '@countersign/core'
import { documentAt, ISSUER, refused, URL_OF_SERVER } from './documents.js'
import { reach } from './reach.js'
import { SharedStore } from './shared-store.js'
import { type Process, Simulation, seeded } from './simulation.js'

/** Processes of one application, and requests that each makes. */
export const PROCESSES = 8
export const REQUESTS = 10

/** What a round came to. */
export interface AcquiringFigures {
  /** Tokens that the server was asked for. */
  requests: number
  /** Requests to the MCP server that went through, and those that did not. */
  served: number
  failed: number
  /** At the end the token that is stored is worth nothing. */
  dead: number
}

/**
 * One round of processes that all want a token without a person at the same time, over one store.
 *
 * @param single - the server keeps one access token a client: a new one ends the one before
 */
export async function playAcquiring(single: boolean, seed: number): Promise<AcquiringFigures> {
  const sim = new Simulation(seeded(seed))
  const store = new SharedStore(sim)
  const figures: AcquiringFigures = { requests: 0, served: 0, failed: 0, dead: 0 }
  const { between, bytes } = sim.seed
  const live = new Set<string>()

  const issue = (): Response => {
    const token = `a${++figures.requests}`
    if (single) live.clear()
    live.add(token)
    return Response.json({ access_token: token, token_type: 'Bearer', expires_in: 3_600 })
  }
  const oauthFetch = async (process: Process, url: string): Promise<Response> => {
    const { pathname } = new URL(url)
    if (pathname !== '/token') return reach(sim, process, between(50, 300), () => documentAt(pathname))
    const answer = await reach(sim, process, between(1_000, 3_000), issue)
    return reach(sim, process, between(1_000, 3_000), () => answer)
  }
  const job = async (process: Process): Promise<void> => {
    const clock = sim.clockOf(process)
    const { fetch } = createConnector({
      appId: 'test',
      store: store.portOf(process),
      clock,
      random: bytes,
      credentials: clientCredentials({ issuer: ISSUER, clientId: 'client', clientSecret: 'secret' }),
      oauthFetch: (url) => oauthFetch(process, String(url)),
      fetch: async (_url, init) => {
        const token = new Headers(init?.headers).get('authorization')?.replace('Bearer ', '') ?? ''
        return live.has(token) ? new Response() : refused()
      },
    }).connect(URL_OF_SERVER)
    for (let made = 0; made < REQUESTS; made++) {
      await clock.sleep(between(0, 5) * 1_000)
      await fetch(URL_OF_SERVER, { method: 'POST' }).then(
        () => figures.served++,
        () => figures.failed++,
      )
    }
  }

  for (let i = 0; i < PROCESSES; i++) void job(sim.process())
  await sim.run(5_000_000, () => false)
  const { grant } = store
  figures.dead = grant?.phase === 'valid' && live.has(grant.granted.tokens.access_token) ? 0 : 1
  return figures
}

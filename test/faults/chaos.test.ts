import { describe, expect, it } from 'vitest'
import {
  type Fault,
  graceTokenEndpoint,
  person,
  scriptedAuthorization,
  startAuthorizationServer,
  startMcpServer,
} from '../servers/index.js'
import { figure, rounds } from '../support/figures.js'
import { seededRandom } from '../support/seeded-random.js'
import { followRedirect } from '../support/watched-agent.js'
import { type Counts, chaosLane, type LaneOptions, type LaneServers, LOSSLESS } from './chaos-lane.js'

const LANES = 2
const GRACE_MS = 10_000
const every: readonly Fault[] = [
  ...LOSSLESS,
  'drop after',
  'silence',
  '502 after',
  'cut',
  'truncated JSON',
  'duplicate',
  'duplicate, second answer',
]

/** `oidc-provider` with rotation: a refresh token that comes twice ends the login. */
async function strict(): Promise<LaneServers> {
  const as = await startAuthorizationServer({ accessTokenTtlSeconds: 300 })
  const mcp = await startMcpServer({ authorizationServer: as })
  return {
    url: mcp.url,
    tokenEndpoint: `${as.issuer}/token`,
    person: (page) => person().authorizationResponse(page),
    graceMs: 0,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([mcp.close(), as.close()])
      expect([...as.errors, ...mcp.errors]).toEqual([])
    },
  }
}

const forgiving: LaneOptions['servers'] = async (clock) => {
  const token = graceTokenEndpoint({ now: () => clock.now(), graceMs: GRACE_MS })
  const server = await scriptedAuthorization({
    routes: {
      token,
      mcp: (request, usual) => (request.headers.authorization === undefined ? usual() : { status: 202 }),
    },
  })
  return {
    url: server.url,
    tokenEndpoint: `${server.origin}/token`,
    person: async (page) => (await followRedirect(page)) as URLSearchParams,
    graceMs: GRACE_MS,
    [Symbol.asyncDispose]: server.close,
  }
}

interface Kind {
  readonly name: string
  readonly servers: LaneOptions['servers']
  readonly faults: readonly Fault[]
  readonly refreshes: number
  /** What may be lost, in words; undefined: nothing. */
  readonly lost?: string
}

const kinds: readonly Kind[] = [
  { name: 'nothing committed, strict server', servers: strict, faults: [...LOSSLESS], refreshes: rounds(700, 60) },
  {
    name: 'every fault, strict server',
    servers: strict,
    faults: every,
    refreshes: rounds(600, 60),
    lost: 'the server had committed and nobody heard of it, or was asked twice',
  },
  {
    name: 'every fault, server with a grace period',
    servers: forgiving,
    faults: every,
    refreshes: rounds(700, 80),
    lost: 'the one prompt retry was lost too, or nothing came for longer than a server forgives',
  },
]

describe('a chaos proxy on the token endpoint', () => {
  const { seed } = seededRandom()

  it.each(kinds)(
    '$name: no login is lost that can be kept, and no browser opens',
    async ({ name, servers, faults, refreshes, lost }) => {
      const lanes = Array.from({ length: LANES }, async (_, lane) => {
        try {
          const random = seededRandom(seed).child(lane)
          return await chaosLane({ servers, random, faults, refreshes: refreshes / LANES })
        } catch (cause) {
          throw new Error(`FAULTS_SEED=${seed}, lane ${lane}, ${cause}`, { cause })
        }
      })
      const of = await total(lanes)
      expect(of.refreshes).toBeGreaterThanOrEqual(refreshes)
      expect(of.faults).toBeGreaterThan(refreshes / 4)
      if (lost === undefined) expect(of.lost).toBe(0)
      figure(
        `chaos, ${name}`,
        `${of.refreshes} refreshes, ${of.requests} requests, ${of.faults} faults, 0 browsers; ` +
          `committed and unheard of, or asked twice, ${of.committedAndLost}; given again ${of.forgiven}; ` +
          `logins lost ${of.lost}${lost ? `, each because ${lost} (${detail(of)})` : ''}`,
      )
    },
    900_000,
  )
})

const detail = ({ lostByDuplicate, lostRetriedTooEarly }: Counts): string =>
  `asked twice ${lostByDuplicate}, retried before the commit ${lostRetriedTooEarly}`

async function total(lanes: readonly Promise<Counts>[]): Promise<Counts> {
  const [first, ...more] = await Promise.all(lanes)
  const sum = { ...first! }
  for (const counts of more) for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += counts[key]
  return sum
}

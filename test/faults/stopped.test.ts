import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startAuthorizationServer, startMcpServer } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { figure, rounds } from '../support/figures.js'
import { soon } from '../support/soon.js'
import { startHost } from './host-process.js'
import { holdsTheNewest, leaveExpiredLogin } from './signed-in.js'
import { places } from './store-places.js'

const STOPPED_MS = rounds(60_000, 4_000)
/** Three of these are how long a refresh may take: over long before the process is woken. */
const REQUEST_TIMEOUT_MS = rounds(10_000, 1_000)
const HOLDERS = rounds(4, 2)
const WAITING = rounds(3, 1)

const place = places()
const open = closing()

/** A login of its own; a holder that is stopped when its request has reached the server, and others that wait for it. */
async function stopped(): Promise<{ readonly pending: number }> {
  const as = open(await startAuthorizationServer())
  const mcp = open(await startMcpServer({ authorizationServer: as }))
  const servers = { as, mcp }
  const at = await place('file')
  await leaveExpiredLogin(servers, at)
  const start = async () =>
    open(await startHost({ url: mcp.url, store: at.store, requestTimeoutMs: REQUEST_TIMEOUT_MS }, { env: at.env }))
  const holder = await start()
  const others = await Promise.all(Array.from({ length: WAITING }, start))

  as.clearRequests()
  const committed = as.commits.length
  as.tokenEndpoint.intercept = () => {
    holder.signal('SIGSTOP')
    return undefined
  }
  const asked = holder.call({ do: 'send', times: 1 })
  await soon(() => as.commits.length).toBe(committed + 1)
  const waited = others.map((host) => host.call({ do: 'send', times: 5 }))
  await delay(STOPPED_MS)
  expect(await holdsTheNewest(servers, others[0]!)).toBe(false)
  const patience = await Promise.all(waited)

  holder.signal('SIGCONT')
  await asked
  await soon(() => holder.events).toContain('refreshed')
  expect(await holdsTheNewest(servers, holder)).toBe(true)
  expect(holder.events).not.toContain('kept')

  // Nobody else has sent the token, and everybody goes on with what came of it.
  const after = await Promise.all([holder, ...others].map((host) => host.call({ do: 'send', times: 5 })))
  expect(after).toEqual(after.map(() => ({ ok: 5, failed: [] })))
  expect(as.requests.filter(({ grant_type }) => grant_type === 'refresh_token')).toHaveLength(1)
  expect([holder, ...others].flatMap(({ pages }) => pages)).toEqual([])
  expect([...as.errors, ...mcp.errors]).toEqual([])
  const failed = patience.flatMap((sent) => sent.failed)
  expect(new Set(failed)).toEqual(new Set(['refresh_pending']))
  return { pending: failed.length }
}

it(
  `a process that is stopped for ${STOPPED_MS / 1_000} s while the answer comes reads and stores it when it wakes, past every deadline`,
  async () => {
    const all = await Promise.all(Array.from({ length: HOLDERS }, stopped))
    const pending = all.reduce((sum, one) => sum + one.pending, 0)
    figure(
      'stopped in the middle of a refresh',
      `${HOLDERS} processes for ${STOPPED_MS / 1_000} s, ${3 * REQUEST_TIMEOUT_MS} ms allowed: ${HOLDERS} answers read and ` +
        `stored, ${HOLDERS} refreshes, 0 logins; ${HOLDERS * WAITING} others waited, ${pending} of their calls were told refresh_pending`,
    )
  },
  STOPPED_MS + 60_000,
)

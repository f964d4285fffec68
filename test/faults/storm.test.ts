import { describe, expect, it } from 'vitest'
import { closing } from '../support/closing.js'
import { figure, full, rounds } from '../support/figures.js'
import { realServers } from '../support/real-servers.js'
import { type HostProcess, startHost } from './host-process.js'
import { holdsTheNewest, leaveExpiredLogin } from './signed-in.js'
import { type Place, places, type StoreKind, storeKinds } from './store-places.js'

/** A keychain takes its time, for the login too: the short share has one small storm over each. */
const shapesOver = (kind: StoreKind['kind']): readonly { processes: number; requests: number }[] =>
  full || kind === 'file'
    ? [
        { processes: 1, requests: 500 },
        { processes: 8, requests: rounds(50, 10) },
      ]
    : [{ processes: 2, requests: 50 }]

describe.each(storeKinds)('an expired token, over $name', ({ name, kind, there }) => {
  const servers = realServers({})
  const place = places()
  const open = closing()

  it.skipIf(!there).each(shapesOver(kind))(
    '$processes x $requests requests at once: one refresh, no failure, no login, the newest token in the store',
    async ({ processes, requests }) => {
      const at = await place(kind)
      await leaveExpiredLogin(servers, at)
      const hosts = await Promise.all(Array.from({ length: processes }, () => start(at)))
      servers.as.clearRequests()
      const began = performance.now()
      const sent = await Promise.all(hosts.map((host) => host.call({ do: 'send', times: requests })))
      const tookMs = Math.round(performance.now() - began)

      expect(sent).toEqual(hosts.map(() => ({ ok: requests, failed: [] })))
      expect(servers.grants).toEqual(['refresh_token'])
      expect(hosts.flatMap(({ pages }) => pages)).toEqual([])
      expect(await holdsTheNewest(servers, hosts[0]!)).toBe(true)
      figure(
        `storm over ${name}, ${processes} x ${requests}`,
        `1 refresh, 0 failures, 0 logins, the newest token in the store; ${tookMs} ms`,
      )
    },
    60_000,
  )

  const start = async (at: Place): Promise<HostProcess> =>
    open(await startHost({ url: servers.mcp.url, store: at.store }, { env: at.env }))
})

import { setTimeout as delay } from 'node:timers/promises'
import { person } from '../servers/index.js'
import type { RealServers } from '../support/real-servers.js'
import { type HostProcess, startHost } from './host-process.js'
import type { Place } from './store-places.js'

/** Signs in by a host of its own, which then ends, and leaves a login whose token has expired. */
export async function leaveExpiredLogin(
  { as, mcp }: Pick<RealServers, 'as' | 'mcp'>,
  { store, env }: Place,
): Promise<void> {
  as.tokenEndpoint.accessTokenTtlSeconds = 1
  await using host = await startHost({ url: mcp.url, store }, { env, onPage: visit })
  await host.call({ do: 'authorize' })
  as.tokenEndpoint.accessTokenTtlSeconds = undefined
  // Its expiry is a whole second.
  await delay(1_100)
}

/** A person at a browser, for whom a host that is gone when they come back is no more than a page that does not load. */
function visit(page: string): void {
  person()
    .open(page)
    .catch(() => undefined)
}

/** What the store holds is what the server gave last. */
export async function holdsTheNewest({ as }: Pick<RealServers, 'as'>, host: HostProcess): Promise<boolean> {
  const held = await host.call({ do: 'read' })
  const newest = as.commits.at(-1)
  return newest !== undefined && held?.accessToken === newest.accessToken && held.refreshToken === newest.refreshToken
}

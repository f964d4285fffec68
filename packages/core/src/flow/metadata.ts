import { DAY_MS } from '../primitives/day.js'
import {
  type DiscoveredServer,
  discoverAuthorizationServer,
  type ServerSearch,
} from '../steps/discover-authorization-server.js'
import { type DiscoveredResource, discoverResource, type Said } from '../steps/discover-resource.js'
import type { ConnectionCore } from './connection-core.js'
import type { DiscoveryRecord } from './records.js'

/**
 * The protected resource metadata, which is kept as long as its cache headers say. A challenge that names another document
 * contradicts what is kept.
 *
 * @param mayBeKept - whether what is kept will do
 */
export async function readResource(
  core: ConnectionCore,
  challenge: Said | undefined,
  mayBeKept: boolean,
  signal?: AbortSignal,
): Promise<DiscoveredResource> {
  const { runtime, context, options, url: serverUrl } = core
  const key = await runtime.records.key('discovery', [serverUrl])
  const { raw, value } = await runtime.records.read('discovery', key)
  if (value?.url !== undefined && mayBeKept && fresh(core, value)) {
    const { url, metadata, fresh_until } = value
    const named = challenge?.resource_metadata ?? []
    if (named.length === 0 || named.includes(url)) return { url, metadata, fresh_until, challenge }
  }
  const endpointsGiven = options.compatibility?.endpoints?.token !== undefined
  const found = await discoverResource(context, serverUrl, challenge, { endpointsGiven, signal })
  const { url, metadata, fresh_until } = found
  await keep(core, key, raw, url === undefined ? undefined : { url, metadata, fresh_until })
  return found
}

/** Through the discovery record: a second server of one authorization server asks nothing. */
export async function readAuthorizationServer(
  core: ConnectionCore,
  issuer: string,
  { otherwise, mayBeKept, signal }: Pick<ServerSearch, 'otherwise' | 'signal'> & { readonly mayBeKept: boolean },
): Promise<DiscoveredServer> {
  const { runtime, options, context } = core
  const { trustIssuer } = options.compatibility ?? {}
  const document = trustIssuer?.listed === issuer ? trustIssuer.document : issuer
  const key = await runtime.records.key('discovery', [issuer, document])
  const { raw, value } = await runtime.records.read('discovery', key)
  if (value !== undefined && value.url === undefined && mayBeKept && fresh(core, value)) return value
  const found = await discoverAuthorizationServer(context, { issuer, document, otherwise, signal })
  await keep(core, key, raw, found)
  return found
}

/** One that is further away than any that is written comes of a clock that was wrong. */
const fresh = ({ runtime }: ConnectionCore, { fresh_until }: DiscoveryRecord): boolean => {
  const leftMs = fresh_until - runtime.clock.now()
  return leftMs > 0 && leftMs <= DAY_MS
}

/** Losing this race to another process is as good as winning it. */
async function keep(
  core: ConnectionCore,
  key: string,
  raw: string | undefined,
  found: DiscoveryRecord | undefined,
): Promise<void> {
  const { records } = core.runtime
  if (found !== undefined && fresh(core, found)) await records.write(key, raw, found, found.fresh_until)
  else if (raw !== undefined) await records.write<DiscoveryRecord>(key, raw, undefined)
}

import type { Peer } from '../row.js'
import type { Host } from './host.js'
import { mcpRemoteHost } from './mcp-remote.js'
import { ourHost } from './ours.js'
import { sdkHost } from './sdk.js'

/** Somebody whom the bench drives against real servers. */
export interface Contestant {
  readonly name: 'ours' | Peer
  /** How long the access tokens live that it is given. */
  readonly tokenTtlSeconds: number
  /** After how long it has to take them for expired. */
  readonly expiredAfterMs: number
  makeHost(options: { readonly cacheDiscovery: boolean }): Host
}

const atExpiry = { tokenTtlSeconds: 4, expiredAfterMs: 4_100 }

/**
 * mcp-remote takes every token for expired that has less than a minute left, so that with short-lived ones it
 * would renew before every request: it gets longer ones, and its storm when that minute has begun.
 */
const all: readonly Contestant[] = [
  { name: 'ours', ...atExpiry, makeHost: ourHost },
  { name: 'sdk-v1', ...atExpiry, makeHost: (options) => sdkHost('sdk-v1', options) },
  { name: 'sdk-v2', ...atExpiry, makeHost: (options) => sdkHost('sdk-v2', options) },
  { name: 'mcp-remote', tokenTtlSeconds: 72, expiredAfterMs: 12_500, makeHost: mcpRemoteHost },
]

/** Those who take part. */
export const contestants = ({ peers }: { readonly peers: boolean }): readonly Contestant[] =>
  peers ? all : all.filter(({ name }) => name === 'ours')

import { trustDiscovered } from '../credentials/registered-client.js'
import { CountersignError } from '../errors/error.js'
import { compareIssuer } from '../primitives/issuer.js'
import type { ConnectionCore } from './connection-core.js'
import { targetOf } from './current-token.js'
import { readResource } from './metadata.js'
import { wait } from './patience.js'

/** How often, at most, a refused token makes the resource metadata be read again. */
const REREAD_MS = 60_000
/** How long that may take, because a refused request waits for it: what follows works without. */
const REREAD_LIMIT_MS = 5_000

const step = 'discover'
const code = 'request_timeout'

/** What is known of whether the resource still lists the issuer that a login came from. */
export interface Listing {
  readonly issuer: string
  /** Of the monotonic clock. */
  readonly at: number
  /** False also where it could not be read: then nothing is known. */
  readonly gone: boolean
  readonly reading?: Promise<void>
}

/** An authorization server that the resource lists, and whether there is a client for it. */
export interface Candidate {
  readonly issuer: string
  readonly registered: boolean
  readonly stored: boolean
}

/** Whether an issuer, as the resource lists it, is this one, as its own document has it. */
function same({ options }: ConnectionCore, listed: string, issuer: string): boolean {
  const { trustIssuer } = options.compatibility ?? {}
  if (trustIssuer?.listed === listed && trustIssuer.document === issuer) return true
  return compareIssuer(listed, issuer) !== 'different'
}

/**
 * The authorization servers that a resource lists and the host allows, in the order to try: those that there is a client for
 * before the others, a client that was registered by hand before a stored one.
 *
 * @throws CountersignError `issuer_not_expected`: the host allows none of them, or its clients do not move to them
 */
export async function candidatesOf(core: ConnectionCore, listed: readonly string[]): Promise<readonly Candidate[]> {
  const { url, options, runtime, held, acquires } = core
  const { client } = acquires ? {} : options
  const { allowedIssuers } = acquires ? { allowedIssuers: acquires.listings } : options
  const allowed = listed.filter((issuer) => allowedIssuers?.includes(issuer) ?? true)
  const all = [client?.registered ?? []].flat().map(({ issuer }) => issuer)
  const byHand = all.filter((issuer) => issuer !== trustDiscovered)
  const registered = allowed.filter((issuer) => byHand.some((one) => same(core, issuer, one)))
  const { known } = held
  const leaves = known !== undefined && known.phase !== 'absent' && known.granted.client?.origin === 'registered'
  // Of the clients that a connector has for all its servers, none may be for this one; not so where the login came from one.
  const stays =
    byHand.length > 0 && byHand.length === all.length && (leaves || client !== runtime.options.client) && !registered[0]
  if (allowed.length === 0 || stays) throw notExpected(url, stays ? byHand : allowedIssuers, listed)

  const stored: string[] = []
  // One alone is tried anyway.
  for (const issuer of allowed.length > 1 ? allowed : []) {
    if ((await runtime.records.list('registration', [issuer])).length > 0) stored.push(issuer)
  }
  return [...new Set([...registered, ...stored, ...allowed])].map((issuer) => ({
    issuer,
    registered: registered.includes(issuer),
    stored: stored.includes(issuer),
  }))
}

/** The error for an authorization server that the configuration does not lead to. */
export const notExpected = (
  url: string,
  expected: readonly string[] | undefined,
  received: readonly string[],
): CountersignError =>
  new CountersignError('issuer_not_expected', {
    step,
    url,
    expected: expected?.join(' '),
    received: received.join(' '),
  })

/** Whether the server is known to have moved away from the issuer of the login. */
export const moved = ({ listing, held }: ConnectionCore): boolean =>
  listing?.gone === true && listing.issuer === targetOf(held.known)?.issuer

/** Remembers whether the issuer of the login is among those that the resource lists. */
export function noteListed(core: ConnectionCore, servers: readonly string[]): void {
  const { issuer } = targetOf(core.held.known) ?? {}
  if (issuer === undefined) return
  core.listing = { issuer, at: core.runtime.clock.monotonic(), gone: !servers.some((one) => same(core, one, issuer)) }
}

/**
 * Whether the resource still lists the issuer that the tokens came from, by its metadata past the cache; read at most once a
 * minute. What cannot be read changes nothing.
 *
 * @throws CountersignError `request_aborted`
 */
export async function issuerListed(core: ConnectionCore, signal: AbortSignal | null | undefined): Promise<boolean> {
  const { issuer } = targetOf(core.held.known) ?? {}
  const at = core.runtime.clock.monotonic()
  let { listing } = core
  if (issuer !== undefined && (listing?.issuer !== issuer || at - listing.at >= REREAD_MS)) {
    listing = core.listing = { issuer, at, gone: false, reading: reread(core) }
  }
  // The reading has a limit of its own; this one lets a caller go that gives up.
  await wait(core, { step, timeoutMs: 2 * REREAD_LIMIT_MS, code, signal }, async () => listing?.reading)
  return !moved(core)
}

async function reread(core: ConnectionCore): Promise<void> {
  const timeoutMs = REREAD_LIMIT_MS
  try {
    const { url, metadata } = await wait(core, { step, timeoutMs, code }, (signal) =>
      readResource(core, core.challenge, false, signal),
    )
    // Only a document is an answer, not what is assumed without one.
    if (url !== undefined) noteListed(core, metadata.authorization_servers)
  } catch (error) {
    if (!CountersignError.is(error)) throw error
  }
}

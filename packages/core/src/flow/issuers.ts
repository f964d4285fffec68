import { trustDiscovered } from '../credentials/registered-client.js'
import { CountersignError } from '../errors/error.js'
import { compareIssuer } from '../primitives/issuer.js'
import type { DiscoveredResource } from '../steps/discover-resource.js'
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

/** Whether the resource still lists the issuer that a login came from. */
export interface Listing {
  readonly issuer: string
  /** Of the monotonic clock. */
  readonly at: number
  /** True also where it could not be read: then nothing is known. */
  readonly listed: Promise<boolean>
  gone?: boolean
}

/** An authorization server that the resource lists, and the client that there is for it. */
export interface Candidate {
  readonly issuer: string
  readonly client: 'registered' | 'stored' | undefined
}

/** Whether an issuer, as the resource lists it, is this one, as its own document has it. */
function same({ options }: ConnectionCore, listed: string, issuer: string): boolean {
  const { trustIssuer } = options.compatibility ?? {}
  if (trustIssuer?.listed === listed && trustIssuer.document === issuer) return true
  return compareIssuer(listed, issuer) !== 'different'
}

const registeredIssuers = ({ options, acquires }: ConnectionCore): readonly (string | typeof trustDiscovered)[] =>
  [(!acquires && options.client?.registered) || []].flat().map(({ issuer }) => issuer)

/**
 * The authorization servers that a resource lists and the host allows, in the order to try: those that there is a client for
 * before the others, a client that was registered by hand before a stored one.
 *
 * @throws CountersignError `issuer_not_expected`: the host allows none of them, or its clients do not move to them
 */
export async function candidatesOf(core: ConnectionCore, listed: readonly string[]): Promise<readonly Candidate[]> {
  const { options, url, runtime } = core
  const allowedIssuers = core.acquires ? core.acquires.listings : options.allowedIssuers
  const allowed = listed.filter((issuer) => allowedIssuers?.includes(issuer) ?? true)
  if (allowed.length === 0) throw notExpected(url, allowedIssuers ?? [], listed)
  const byHand = registeredIssuers(core).filter((issuer) => typeof issuer === 'string')
  const isRegistered = (issuer: string): boolean => byHand.some((one) => same(core, issuer, one))
  if (!allowed.some(isRegistered) && staysWithClient(core, byHand)) throw clientStays(url, byHand, listed)

  const candidates = await Promise.all(
    allowed.map(async (issuer): Promise<Candidate> => {
      if (isRegistered(issuer)) return { issuer, client: 'registered' }
      // One alone is tried anyway.
      const stored = allowed.length > 1 && (await runtime.records.list('registration', [issuer])).length > 0
      return { issuer, client: stored ? 'stored' : undefined }
    }),
  )
  const rank = ({ client }: Candidate): number => [undefined, 'stored', 'registered'].indexOf(client)
  return candidates.sort((a, b) => rank(b) - rank(a))
}

/**
 * Whether only a client that was registered by hand will do: where the host has named one for this very server, and where the
 * login came from one. Of the clients that a connector has for all its servers, none may be for this one.
 */
function staysWithClient(core: ConnectionCore, byHand: readonly string[]): boolean {
  const { options, runtime, held } = core
  if (byHand.length === 0 || registeredIssuers(core).includes(trustDiscovered)) return false
  if (options.client !== runtime.options.client) return true
  const { known } = held
  return known !== undefined && known.phase !== 'absent' && known.granted.client?.origin === 'registered'
}

const notExpected = (
  url: string,
  expected: readonly string[],
  received: readonly string[],
  hint?: string,
): CountersignError =>
  new CountersignError('issuer_not_expected', {
    step,
    url,
    expected: expected.join(' '),
    received: received.join(' '),
    hint,
  })

/** The error for a client that was registered by hand, and not at the authorization server that there is. */
export const clientStays = (url: string, registered: readonly string[], listed: readonly string[]): CountersignError =>
  notExpected(
    url,
    registered,
    listed,
    'A client belongs to one issuer: name this one in client.registered with the client that it knows, or use trustDiscovered.',
  )

/** Whether the server is known to have moved away from the issuer of the login. */
export const moved = ({ listing, held }: ConnectionCore): boolean =>
  listing?.gone === true && listing.issuer === targetOf(held.known)?.issuer

/** Remembers whether the issuer of the login is among those that the resource lists. */
export function noteListed(core: ConnectionCore, servers: Promise<readonly string[] | undefined>): void {
  const { issuer } = targetOf(core.held.known) ?? {}
  if (issuer === undefined) return
  const at = core.runtime.clock.monotonic()
  const listed = servers.then((all) => {
    listing.gone = all?.every((one) => !same(core, one, issuer)) ?? false
    return !listing.gone
  })
  const listing: Listing = { issuer, at, listed }
  core.listing = listing
}

/**
 * Whether the resource still lists the issuer that the tokens came from, by its metadata past the cache; read at most once a
 * minute. What cannot be read changes nothing.
 *
 * @throws CountersignError `request_aborted`
 */
export async function issuerListed(core: ConnectionCore, signal: AbortSignal | null | undefined): Promise<boolean> {
  const { listing, runtime, held } = core
  const known = listing?.issuer === targetOf(held.known)?.issuer ? listing : undefined
  if (known === undefined || runtime.clock.monotonic() - known.at >= REREAD_MS) noteListed(core, published(core))
  // The reading has a limit of its own; this one lets a caller go that gives up.
  const timeoutMs = 2 * REREAD_LIMIT_MS
  return wait(core, { step, timeoutMs, code, signal }, async () => core.listing?.listed ?? true)
}

/** The issuers that a document of the server lists; undefined where none could be had. */
async function published(core: ConnectionCore): Promise<readonly string[] | undefined> {
  const read = (signal: AbortSignal): Promise<DiscoveredResource> => readResource(core, core.challenge, false, signal)
  try {
    const { url, metadata } = await wait(core, { step, timeoutMs: REREAD_LIMIT_MS, code }, read)
    return url === undefined ? undefined : metadata.authorization_servers
  } catch (error) {
    if (CountersignError.is(error)) return undefined
    throw error
  }
}

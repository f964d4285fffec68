import { CountersignError } from '../errors/error.js'
import { publicUrl } from '../errors/text.js'
import type { BearerChallenge } from '../messages/bearer-challenge.js'
import {
  type ProtectedResourceMetadata,
  parseProtectedResourceMetadata,
} from '../messages/protected-resource-metadata.js'
import { matchResource } from '../primitives/resource.js'
import { protectedResourceMetadataUrls } from '../primitives/well-known.js'
import { askForChallenge } from './ask-for-challenge.js'
import { type StepContext, tolerate } from './context.js'
import { type Found, findDocument, type NotFound } from './find-document.js'
import { freshUntil } from './freshness.js'

const step = 'discover'

/** What a server says when it asks for a token. */
export type Said = Pick<BearerChallenge, 'resource_metadata' | 'scope' | 'dpop'>

/** What a protected resource says of itself, or what is assumed of one that says nothing. */
export interface DiscoveredResource {
  readonly metadata: ProtectedResourceMetadata
  /** The document; undefined where there is none. */
  readonly url?: string
  /** Milliseconds since the epoch: how long its server says that it stays good. */
  readonly fresh_until: number
  readonly challenge: Said | undefined
  /** In the layout of revision 2025-03-26: what the places answered where a document should be. */
  readonly absent?: string
}

interface Options {
  /** The host has given the endpoints, so that a server without any document can be used. */
  readonly endpointsGiven: boolean
  readonly signal: AbortSignal | undefined
}

/**
 * Finds the protected resource metadata (RFC 9728): the URLs of the challenge first, then the well-known ones, path-inserted
 * before root. A document that describes another resource is never used (section 3.3).
 *
 * A server that has none, and whose challenge names none, is one of revision 2025-03-26, whose authorization server is at its
 * own origin. That a place could not be asked proves nothing.
 *
 * @param said - undefined where no request was refused yet: then the server is asked, should the well-known places have nothing
 * @throws CountersignError `resource_metadata_not_found`, `resource_mismatch`, `url_not_allowed` (a document on a foreign
 * origin), `server_unavailable` (a candidate could not answer, so nothing is known), and what the door throws
 */
export async function discoverResource(
  context: StepContext,
  serverUrl: string,
  said: Said | undefined,
  { endpointsGiven, signal }: Options,
): Promise<DiscoveredResource> {
  const refusal = 'resource_metadata_not_found'
  const known = documentsOf(serverUrl, said)
  const urls = [...new Set([...known, ...protectedResourceMetadataUrls(serverUrl)])]
  let found = await search(context, serverUrl, urls, signal)
  let challenge = said
  const missed = [found.missed]
  if (!('value' in found) && said === undefined) {
    const answer = await askForChallenge(context, serverUrl, signal)
    if (typeof answer === 'string') missed.push(`${publicUrl(serverUrl)}: ${answer}`)
    else {
      challenge = answer
      const more = documentsOf(serverUrl, answer).filter((url) => !urls.includes(url))
      const { absent } = found
      found = await search(context, serverUrl, more, signal)
      missed.push(found.missed)
      if (!('value' in found)) found = { ...found, absent: absent && found.absent }
    }
  }
  const received = missed.filter(Boolean).join('; ')

  if ('value' in found) {
    const { value: metadata, url, headers } = found
    const [first] = known
    if (first !== undefined && received !== '') {
      context.diagnose({ code: 'resource_metadata_missed', url: first, expected: 'metadata', received })
    }
    return { metadata, url, challenge, fresh_until: freshUntil(headers, context.clock.now(), 0) }
  }
  if (!endpointsGiven && !(found.absent && challenge?.resource_metadata.length === 0)) {
    throw new CountersignError(refusal, { step, url: serverUrl, received })
  }
  tolerate(context, { step, url: serverUrl, refusal }, [
    { code: 'resource_metadata_absent', expected: 'protected resource metadata', received },
  ])
  const { origin } = new URL(serverUrl)
  const location = locationOf(serverUrl)
  const metadata = { resource: location === `${origin}/` ? origin : location, authorization_servers: [origin] }
  return { metadata, challenge, fresh_until: 0, absent: received }
}

/** The documents that a challenge names: on the server's own origin, or none of them is asked for. */
function documentsOf(serverUrl: string, said: Said | undefined): readonly string[] {
  const { resource_metadata = [] } = said ?? {}
  const { origin } = new URL(serverUrl)
  const foreign = resource_metadata.find((url) => new URL(url).origin !== origin)
  if (foreign === undefined) return resource_metadata
  throw new CountersignError('url_not_allowed', { step, url: foreign, expected: `resource_metadata on ${origin}` })
}

async function search(
  context: StepContext,
  serverUrl: string,
  urls: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Found<ProtectedResourceMetadata> | NotFound> {
  const location = locationOf(serverUrl)
  let mismatch: CountersignError | undefined
  const found = await findDocument(context, {
    urls,
    parse: parseProtectedResourceMetadata,
    refusal: 'resource_metadata_invalid',
    objection: ({ resource }, url) => {
      if (matchResource(serverUrl, resource) !== 'different') return undefined
      const expected = `${location}, or a path prefix of it`
      mismatch ??= new CountersignError('resource_mismatch', { step, url, expected, received: resource })
      return 'another resource'
    },
    signal,
  })
  if (!('value' in found)) {
    const error = mismatch ?? found.failure
    if (error !== undefined) throw error
    return found
  }
  const { value, url } = found
  const match = matchResource(serverUrl, value.resource)
  if (match !== 'identical') {
    const code = match === 'prefix' ? 'resource_is_prefix' : 'resource_trailing_slash'
    tolerate(context, { step, url, refusal: 'resource_mismatch' }, [
      { code, expected: location, received: value.resource },
    ])
  }
  return found
}

/** Without the query, which may hold a key (RFC 8707 section 2). */
const locationOf = (serverUrl: string): string => serverUrl.replace(/\?.*/s, '')

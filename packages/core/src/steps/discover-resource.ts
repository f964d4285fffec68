import { CountersignError } from '../errors/error.js'
import type { BearerChallenge } from '../messages/bearer-challenge.js'
import {
  type ProtectedResourceMetadata,
  parseProtectedResourceMetadata,
} from '../messages/protected-resource-metadata.js'
import { matchResource } from '../primitives/resource.js'
import { protectedResourceMetadataUrls } from '../primitives/well-known.js'
import { type StepContext, tolerate } from './context.js'
import { fetchCandidate, tried } from './metadata-document.js'

const step = 'discover'

/**
 * Finds the protected resource metadata (RFC 9728): the URLs of the challenge first, then the well-known ones, path-inserted
 * before root. A document that describes another resource is never used (section 3.3).
 *
 * @throws CountersignError `resource_metadata_not_found`, `resource_mismatch`, `url_not_allowed` (a document on a foreign
 * origin), `server_unavailable` (a candidate could not answer, so nothing is known), and what the door throws
 */
export async function discoverResource(
  context: StepContext,
  serverUrl: string,
  challenge: Pick<BearerChallenge, 'resource_metadata'>,
  signal?: AbortSignal,
): Promise<ProtectedResourceMetadata> {
  const origin = new URL(serverUrl).origin
  const foreign = challenge.resource_metadata.find((url) => new URL(url).origin !== origin)
  if (foreign !== undefined) {
    throw new CountersignError('url_not_allowed', {
      step,
      url: foreign,
      expected: `resource_metadata on ${origin}`,
      received: `a document on ${new URL(foreign).origin}`,
    })
  }

  const candidates = [...new Set([...challenge.resource_metadata, ...protectedResourceMetadataUrls(serverUrl)])]
  const reasons: string[] = []
  let failure: CountersignError | undefined
  let mismatch: { readonly url: string; readonly resource: string } | undefined
  for (const url of candidates) {
    const candidate = await fetchCandidate(context, step, url, parseProtectedResourceMetadata, signal)
    if ('failed' in candidate) {
      failure ??= candidate.failed
      reasons.push(tried(url, candidate.failed.received ?? candidate.failed.code))
      continue
    }
    if ('missed' in candidate) {
      reasons.push(tried(url, candidate.missed))
      continue
    }
    const { value, tolerated } = candidate.found
    const match = matchResource(serverUrl, value.resource)
    if (match === 'different') {
      mismatch ??= { url, resource: value.resource }
      reasons.push(tried(url, 'describes another resource'))
      continue
    }
    const seen = { step, url, refusal: 'resource_mismatch' } as const
    tolerate(context, { ...seen, refusal: 'resource_metadata_invalid' }, tolerated)
    if (match !== 'identical') {
      const code = match === 'prefix' ? 'resource_is_prefix' : 'resource_trailing_slash'
      tolerate(context, seen, [{ code, expected: serverUrl.replace(/\?.*/s, ''), received: value.resource }])
    }
    const first = challenge.resource_metadata[0]
    if (first !== undefined && url !== first) {
      context.diagnose({
        code: 'resource_metadata_missed',
        url: first,
        expected: 'metadata',
        received: reasons.join('; '),
      })
    }
    return value
  }

  if (failure !== undefined) throw failure
  if (mismatch !== undefined) {
    throw new CountersignError('resource_mismatch', {
      step,
      url: mismatch.url,
      expected: `resource ${serverUrl.replace(/\?.*/s, '')}, or a path prefix of it on the same origin`,
      received: describeMismatch(serverUrl, mismatch.resource),
    })
  }
  throw new CountersignError('resource_metadata_not_found', { step, url: serverUrl, received: reasons.join('; ') })
}

/** Names the usual cause where it shows: a server behind a proxy that terminates TLS (field case A09). */
function describeMismatch(serverUrl: string, resource: string): string {
  const httpTwin =
    resource.startsWith('http://') && matchResource(serverUrl, resource.replace('http:', 'https:')) !== 'different'
  return httpTwin
    ? `${resource} (http instead of https: the server behind the proxy ignores X-Forwarded-Proto)`
    : resource
}

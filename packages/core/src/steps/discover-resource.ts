import { CountersignError } from '../errors/error.js'
import type { BearerChallenge } from '../messages/bearer-challenge.js'
import {
  type ProtectedResourceMetadata,
  parseProtectedResourceMetadata,
} from '../messages/protected-resource-metadata.js'
import { matchResource } from '../primitives/resource.js'
import { protectedResourceMetadataUrls } from '../primitives/well-known.js'
import { type StepContext, tolerate } from './context.js'
import { findDocument } from './find-document.js'

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

  let mismatch: { readonly url: string; readonly resource: string } | undefined
  const result = await findDocument(
    context,
    [...new Set([...challenge.resource_metadata, ...protectedResourceMetadataUrls(serverUrl)])],
    parseProtectedResourceMetadata,
    ({ resource }, url) => {
      if (matchResource(serverUrl, resource) !== 'different') return undefined
      mismatch ??= { url, resource }
      return 'another resource'
    },
    signal,
  )
  const expected = serverUrl.replace(/\?.*/s, '')
  const received = result.misses.join('; ')
  if (!('found' in result)) {
    if (mismatch === undefined) {
      throw new CountersignError('resource_metadata_not_found', { step, url: serverUrl, received })
    }
    throw new CountersignError('resource_mismatch', {
      step,
      url: mismatch.url,
      expected: `${expected}, or a path prefix of it`,
      received: describeMismatch(serverUrl, mismatch.resource),
    })
  }
  const { url } = result
  const { value, tolerated } = result.found
  tolerate(context, { step, url, refusal: 'resource_metadata_invalid' }, tolerated)
  const match = matchResource(serverUrl, value.resource)
  if (match !== 'identical') {
    const code = match === 'prefix' ? 'resource_is_prefix' : 'resource_trailing_slash'
    tolerate(context, { step, url, refusal: 'resource_mismatch' }, [{ code, expected, received: value.resource }])
  }
  const [first] = challenge.resource_metadata
  if (first !== undefined && received !== '') {
    context.diagnose({ code: 'resource_metadata_missed', url: first, expected: 'metadata', received })
  }
  return value
}

/** Names the usual cause where it shows: a server behind a proxy that terminates TLS (field case A09). */
function describeMismatch(serverUrl: string, resource: string): string {
  const twin = resource.replace(/^http:/, 'https:')
  return twin !== resource && matchResource(serverUrl, twin) !== 'different'
    ? `${resource} (http: the server behind the proxy ignores X-Forwarded-Proto)`
    : resource
}

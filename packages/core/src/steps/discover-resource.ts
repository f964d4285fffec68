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
  const { origin } = new URL(serverUrl)
  const { resource_metadata } = challenge
  const foreign = resource_metadata.find((url) => new URL(url).origin !== origin)
  if (foreign !== undefined) {
    throw new CountersignError('url_not_allowed', { step, url: foreign, expected: `resource_metadata on ${origin}` })
  }

  const location = serverUrl.replace(/\?.*/s, '')
  let mismatch: CountersignError | undefined
  const found = await findDocument(context, {
    urls: [...new Set([...resource_metadata, ...protectedResourceMetadataUrls(serverUrl)])],
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
  const { missed: received } = found
  if (!('value' in found)) {
    throw mismatch ?? new CountersignError('resource_metadata_not_found', { step, url: serverUrl, received })
  }
  const { value, url } = found
  const match = matchResource(serverUrl, value.resource)
  if (match !== 'identical') {
    const code = match === 'prefix' ? 'resource_is_prefix' : 'resource_trailing_slash'
    tolerate(context, { step, url, refusal: 'resource_mismatch' }, [
      { code, expected: location, received: value.resource },
    ])
  }
  const [first] = resource_metadata
  if (first !== undefined && received !== '') {
    context.diagnose({ code: 'resource_metadata_missed', url: first, expected: 'metadata', received })
  }
  return value
}

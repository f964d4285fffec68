import { CountersignError } from '../errors/error.js'
import {
  type AuthorizationServerMetadata,
  parseAuthorizationServerMetadata,
} from '../messages/authorization-server-metadata.js'
import { compareIssuer } from '../primitives/issuer.js'
import { authorizationServerMetadataUrls } from '../primitives/well-known.js'
import { type StepContext, tolerate } from './context.js'
import { fetchCandidate, tried } from './metadata-document.js'

const step = 'discover'

/** A document, and how long its server says that it stays good. */
export interface DiscoveredServer {
  readonly metadata: AuthorizationServerMetadata
  /** Milliseconds since the epoch. */
  readonly fresh_until: number
}

const HOUR = 3_600_000

/**
 * Finds the authorization server metadata of an issuer, in the order of the MCP specification: RFC 8414, then OpenID Connect,
 * path-inserted before path-appended. The document's `issuer` must be the one that was asked (RFC 8414 section 3.3); only a
 * root-path trailing slash is tolerated.
 *
 * @param document - the issuer that the document must name; the host may pin another than the one that was listed
 * @throws CountersignError `authorization_server_metadata_not_found`, `issuer_mismatch`, `server_unavailable`, and what the
 * door throws
 */
export async function discoverAuthorizationServer(
  context: StepContext,
  issuer: string,
  document: string = issuer,
  signal?: AbortSignal,
): Promise<DiscoveredServer> {
  if (!URL.canParse(issuer)) {
    throw new CountersignError('url_not_allowed', { step, url: issuer, expected: 'an issuer URL', received: issuer })
  }
  const reasons: string[] = []
  let failure: CountersignError | undefined
  for (const url of authorizationServerMetadataUrls(issuer)) {
    const candidate = await fetchCandidate(context, step, url, parseAuthorizationServerMetadata, signal)
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
    const seen = { step, url, refusal: 'issuer_mismatch' } as const
    const comparison = compareIssuer(document, value.issuer)
    if (comparison === 'different') {
      throw new CountersignError('issuer_mismatch', { step, url, expected: document, received: value.issuer })
    }
    if (comparison === 'root_slash') {
      tolerate(context, seen, [{ code: 'issuer_trailing_slash', expected: document, received: value.issuer }])
    }
    tolerate(context, { ...seen, refusal: 'authorization_server_metadata_invalid' }, tolerated)
    return { metadata: value, fresh_until: context.clock.now() + freshFor(candidate.headers) }
  }
  if (failure !== undefined) throw failure
  throw new CountersignError('authorization_server_metadata_not_found', {
    step,
    url: issuer,
    received: reasons.join('; '),
  })
}

/** How long a metadata document may be used, in milliseconds: by its cache headers, an hour without any, a day at most. */
function freshFor(headers: Headers): number {
  const control = headers.get('cache-control') ?? ''
  if (/\bno-(?:store|cache)\b/i.test(control)) return 0
  const maxAge = /\bmax-age\s*=\s*"?(\d+)/i.exec(control)?.[1]
  return maxAge === undefined ? HOUR : Math.min(Number(maxAge) * 1000, 24 * HOUR)
}

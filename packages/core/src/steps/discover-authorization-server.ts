import { CountersignError } from '../errors/error.js'
import {
  type AuthorizationServerMetadata,
  parseAuthorizationServerMetadata,
} from '../messages/authorization-server-metadata.js'
import { compareIssuer } from '../primitives/issuer.js'
import { authorizationServerMetadataUrls } from '../primitives/well-known.js'
import { type StepContext, tolerate } from './context.js'
import { findDocument } from './find-document.js'

const step = 'discover'

/** A document, and how long its server says that it stays good. */
export interface DiscoveredServer {
  readonly metadata: AuthorizationServerMetadata
  /** Milliseconds since the epoch. */
  readonly fresh_until: number
}

const HOUR = 3600

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
  const found = await findDocument(context, {
    urls: authorizationServerMetadataUrls(issuer),
    parse: parseAuthorizationServerMetadata,
    refusal: 'authorization_server_metadata_invalid',
    objection: (metadata, url) => {
      if (compareIssuer(document, metadata.issuer) !== 'different') return undefined
      throw new CountersignError('issuer_mismatch', { step, url, expected: document, received: metadata.issuer })
    },
    signal,
  })
  if (!('value' in found)) {
    throw new CountersignError('authorization_server_metadata_not_found', { step, url: issuer, received: found.missed })
  }
  const { value: metadata, url, headers } = found
  if (metadata.issuer !== document) {
    const slash = { code: 'issuer_trailing_slash', expected: document, received: metadata.issuer } as const
    tolerate(context, { step, url, refusal: 'issuer_mismatch' }, [slash])
  }
  return { metadata, fresh_until: context.clock.now() + freshFor(headers) }
}

/** How long a metadata document may be used, in milliseconds: by its cache headers, an hour without any, a day at most. */
function freshFor(headers: Headers): number {
  const control = headers.get('cache-control') ?? ''
  if (/\bno-(?:store|cache)\b/i.test(control)) return 0
  const [, seconds = HOUR] = /\bmax-age\s*=\s*"?(\d+)/i.exec(control) ?? []
  return Math.min(Number(seconds), 24 * HOUR) * 1000
}

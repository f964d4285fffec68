import { CountersignError } from '../errors/error.js'
import {
  type AuthorizationServerMetadata,
  parseAuthorizationServerMetadata,
} from '../messages/authorization-server-metadata.js'
import { compareIssuer } from '../primitives/issuer.js'
import { authorizationServerMetadataUrls } from '../primitives/well-known.js'
import { type StepContext, tolerate } from './context.js'
import { findDocument } from './find-document.js'
import { freshUntil } from './freshness.js'

const step = 'discover'

/** A document, and how long its server says that it stays good. */
export interface DiscoveredServer {
  readonly metadata: AuthorizationServerMetadata
  /** Milliseconds since the epoch; 0 for what is assumed. */
  readonly fresh_until: number
  /** What the places answered where the metadata should be, where it is assumed. */
  readonly absent?: string
}

/** Which metadata is wanted. */
export interface ServerSearch {
  /** As the resource lists it. */
  readonly issuer: string
  /** The issuer that the document must name; the host may pin another than the one that was listed. */
  readonly document: string
  /**
   * What stands in for metadata that does not exist: nothing; the default endpoints of revision 2025-03-26; or the endpoints
   * that the host has given, and then it need not be proven that there is none.
   */
  readonly otherwise: 'nothing' | 'defaults' | 'given'
  readonly signal: AbortSignal | undefined
}

const HOUR = 3600

/**
 * Finds the authorization server metadata of an issuer, in the order of the MCP specification: RFC 8414, then OpenID Connect,
 * path-inserted before path-appended. The document's `issuer` must be the one that was asked (RFC 8414 section 3.3); only a
 * root-path trailing slash is tolerated.
 *
 * @throws CountersignError `authorization_server_metadata_not_found`, `issuer_mismatch`, `server_unavailable`, and what the
 * door throws
 */
export async function discoverAuthorizationServer(
  context: StepContext,
  { issuer, document, otherwise, signal }: ServerSearch,
): Promise<DiscoveredServer> {
  const refusal = 'authorization_server_metadata_not_found'
  let mismatch: CountersignError | undefined
  const found = await findDocument(context, {
    urls: authorizationServerMetadataUrls(issuer),
    parse: parseAuthorizationServerMetadata,
    refusal: 'authorization_server_metadata_invalid',
    objection: (metadata, url) => {
      if (compareIssuer(document, metadata.issuer) !== 'different') return undefined
      mismatch ??= new CountersignError('issuer_mismatch', {
        step,
        url,
        expected: document,
        received: metadata.issuer,
      })
      return 'another issuer'
    },
    signal,
  })
  if ('value' in found) {
    const { value: metadata, url, headers } = found
    if (metadata.issuer !== document) {
      const slash = { code: 'issuer_trailing_slash', expected: document, received: metadata.issuer } as const
      tolerate(context, { step, url, refusal: 'issuer_mismatch' }, [slash])
    }
    return { metadata, fresh_until: freshUntil(headers, context.clock.now(), HOUR) }
  }
  const { missed: received, absent } = found
  const error = mismatch ?? found.failure
  if (error !== undefined) throw error
  if (otherwise === 'nothing' || (otherwise === 'defaults' && !absent)) {
    throw new CountersignError(refusal, { step, url: issuer, received })
  }
  tolerate(context, { step, url: issuer, refusal }, [
    { code: 'endpoints_assumed', expected: 'authorization server metadata', received },
  ])
  const metadata = otherwise === 'defaults' ? defaultsAt(issuer) : {}
  return { metadata: { ...metadata, issuer: document }, fresh_until: 0, absent: received }
}

/** The endpoints of a server that names none, and PKCE as that revision requires it of all (MCP 2025-03-26, authorization). */
const defaultsAt = (origin: string): Omit<AuthorizationServerMetadata, 'issuer'> => ({
  authorization_endpoint: `${origin}/authorize`,
  token_endpoint: `${origin}/token`,
  registration_endpoint: `${origin}/register`,
  code_challenge_methods_supported: ['S256'],
})

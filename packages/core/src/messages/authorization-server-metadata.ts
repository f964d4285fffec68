import { type Parsed, parseJsonObject, readDocument, refuse } from './parsed.js'

/**
 * What an authorization server says of itself (RFC 8414 section 2), with the members that Countersign uses. Strings are as
 * they were sent; URLs are not checked here.
 */
export interface AuthorizationServerMetadata {
  readonly issuer: string
  readonly authorization_endpoint?: string
  readonly token_endpoint?: string
  readonly registration_endpoint?: string
  /** RFC 7009. */
  readonly revocation_endpoint?: string
  /** RFC 8628 section 4. */
  readonly device_authorization_endpoint?: string
  /** RFC 9126 section 5. */
  readonly pushed_authorization_request_endpoint?: string
  readonly require_pushed_authorization_requests?: boolean
  readonly scopes_supported?: readonly string[]
  /** Absent means `client_secret_basic`. */
  readonly token_endpoint_auth_methods_supported?: readonly string[]
  /** Absent means that the server does not say that it supports PKCE. */
  readonly code_challenge_methods_supported?: readonly string[]
  /** Whether an authorization response has to carry `iss` (RFC 9207 section 3). */
  readonly authorization_response_iss_parameter_supported?: boolean
  /** Whether a `client_id` may be the URL of a client metadata document. */
  readonly client_id_metadata_document_supported?: boolean
  /** RFC 9449 section 5.1: what proofs at the token endpoint may be signed with. Absent: the server does not say that it takes any. */
  readonly dpop_signing_alg_values_supported?: readonly string[]
}

const OPTIONAL = {
  authorization_endpoint: 'string',
  token_endpoint: 'string',
  registration_endpoint: 'string',
  revocation_endpoint: 'string',
  device_authorization_endpoint: 'string',
  pushed_authorization_request_endpoint: 'string',
  require_pushed_authorization_requests: 'boolean',
  scopes_supported: 'list',
  token_endpoint_auth_methods_supported: 'list',
  code_challenge_methods_supported: 'list',
  authorization_response_iss_parameter_supported: 'boolean',
  client_id_metadata_document_supported: 'boolean',
  dpop_signing_alg_values_supported: 'list',
} as const

/**
 * Reads authorization server metadata (RFC 8414 section 3.2), or an OpenID provider's, which has the same members. Whether
 * `issuer` is the one that was asked is for the caller.
 */
export function parseAuthorizationServerMetadata(text: string): Parsed<AuthorizationServerMetadata> {
  const read = readDocument(parseJsonObject(text), 'issuer', OPTIONAL)
  if ('invalid' in read || read.value.authorization_endpoint || read.value.token_endpoint) return read
  return refuse('authorization_endpoint or token_endpoint', 'neither')
}

import { isFilled, kindOf, type Parsed, parseJsonObject, readDocument, refuse } from './parsed.js'

/** What a protected resource says of itself (RFC 9728 section 2). Strings are as they were sent. */
export interface ProtectedResourceMetadata {
  readonly resource: string
  /** Issuer identifiers, at least one (MCP authorization, authorization server location). */
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly resource_name?: string
  /** What proofs of possession may be signed with. Absent: the resource does not say that it takes any. */
  readonly dpop_signing_alg_values_supported?: readonly string[]
  /** Whether it takes none but bound tokens (RFC 9449). */
  readonly dpop_bound_access_tokens_required?: boolean
}

const OPTIONAL = {
  scopes_supported: 'list',
  resource_name: 'string',
  dpop_signing_alg_values_supported: 'list',
  dpop_bound_access_tokens_required: 'boolean',
} as const

/** Reads protected resource metadata (RFC 9728 section 3.2); whether `resource` is the one that was asked is for the caller. */
export function parseProtectedResourceMetadata(text: string): Parsed<ProtectedResourceMetadata> {
  const body = parseJsonObject(text)
  const read = readDocument(body, 'resource', OPTIONAL)
  if ('invalid' in body) return body
  if ('invalid' in read) return read
  const { authorization_servers } = body.value
  return Array.isArray(authorization_servers) &&
    authorization_servers.length > 0 &&
    authorization_servers.every(isFilled)
    ? { value: { ...read.value, authorization_servers }, tolerated: read.tolerated }
    : refuse('authorization_servers: an array of issuers', kindOf(authorization_servers))
}

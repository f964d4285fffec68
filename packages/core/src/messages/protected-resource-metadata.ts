import { isFilled, kindOf, type Parsed, parseJsonObject, readDocument, refuse } from './parsed.js'

/** What a protected resource says of itself (RFC 9728 section 2). Strings are as they were sent. */
export interface ProtectedResourceMetadata {
  readonly resource: string
  /** Issuer identifiers, at least one (MCP authorization, authorization server location). */
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly resource_name?: string
}

/** Reads protected resource metadata (RFC 9728 section 3.2); whether `resource` is the one that was asked is for the caller. */
export function parseProtectedResourceMetadata(text: string): Parsed<ProtectedResourceMetadata> {
  const body = parseJsonObject(text)
  const read = readDocument(body, 'resource', { scopes_supported: 'list', resource_name: 'string' })
  if ('invalid' in body) return body
  if ('invalid' in read) return read
  const { authorization_servers } = body.value
  return Array.isArray(authorization_servers) &&
    authorization_servers.length > 0 &&
    authorization_servers.every(isFilled)
    ? { value: { ...read.value, authorization_servers }, tolerated: read.tolerated }
    : refuse('authorization_servers: an array of issuers', kindOf(authorization_servers))
}

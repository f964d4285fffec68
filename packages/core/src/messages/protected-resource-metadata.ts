import { isFilled, kindOf, optionalMembers, type Parsed, parseJsonObject, refuse, type Tolerated } from './parsed.js'

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
  const parsed = parseJsonObject(text)
  if ('invalid' in parsed) return parsed
  const { resource, authorization_servers } = parsed.value
  if (!isFilled(resource)) return refuse('resource: a URL', kindOf(resource))
  const servers: readonly unknown[] = Array.isArray(authorization_servers) ? authorization_servers : []
  if (servers.length === 0 || !servers.every(isFilled)) {
    const received = Array.isArray(authorization_servers) && servers.length === 0 ? 'an empty array' : undefined
    return refuse('authorization_servers: an array of issuers', received ?? kindOf(authorization_servers))
  }
  const tolerated: Tolerated[] = []
  const optional = optionalMembers(parsed.value, { scopes_supported: 'list', resource_name: 'string' }, tolerated)
  return { value: { ...optional, resource, authorization_servers: servers }, tolerated }
}

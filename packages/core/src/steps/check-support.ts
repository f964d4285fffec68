import { CountersignError } from '../errors/error.js'
import type { AuthorizationServerMetadata } from '../messages/authorization-server-metadata.js'

/**
 * Refuses an authorization server that does not say it supports PKCE with S256 (MCP authorization, "Authorization Code
 * Protection"; RFC 8414 section 2).
 *
 * @param assumed - the host vouches for a server that omits the member; one that lists other methods is refused all the same
 * @throws CountersignError `pkce_unsupported`
 */
export function checkPkce(metadata: AuthorizationServerMetadata, assumed: boolean): void {
  const methods = metadata.code_challenge_methods_supported
  if (methods?.includes('S256') || (methods === undefined && assumed)) return
  throw new CountersignError('pkce_unsupported', {
    step: 'discover',
    url: metadata.issuer,
    expected: 'code_challenge_methods_supported with S256',
    received: methods?.join(' ') ?? 'no such member',
  })
}

import { includesScope, unionScope } from '../primitives/scope.js'

/** Everything that may say which scope to ask for. */
export interface ScopeSources {
  /** The host's own choice: nothing is added to it but what it asks for itself. */
  readonly pinned: string | undefined
  /** What this attempt must cover: a host's `authorize({ scope })`, or the union of a step-up. */
  readonly required: string | undefined
  readonly challenge: string | undefined
  readonly resource: readonly string[] | undefined
  readonly authorizationServer: readonly string[] | undefined
  readonly offlineAccess: boolean
}

/**
 * The scope of an authorization request, in the MCP specification's order: pinned by the host, else the challenge's, else
 * the resource's `scopes_supported`, else none. Never the authorization server's whole catalogue. `offline_access` is added
 * where that server lists it and the host wants it.
 */
export function selectScope(sources: ScopeSources): string | undefined {
  if (sources.pinned !== undefined) return unionScope(sources.pinned, sources.required)
  const asked = sources.challenge ?? (sources.required === undefined ? sources.resource?.join(' ') : undefined)
  const scope = unionScope(sources.required, asked)
  const offline = sources.offlineAccess && includesScope(sources.authorizationServer?.join(' '), 'offline_access')
  return offline ? unionScope(scope, 'offline_access') : scope
}

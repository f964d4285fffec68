import { addedScope, unionScope } from '../primitives/scope.js'

const OFFLINE = 'offline_access'

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
 * the resource's `scopes_supported`, else none. Never the authorization server's whole catalogue. `offline_access` is asked for
 * where that server lists it and the host wants it; elsewhere only where it is pinned, or the resource names it.
 */
export function selectScope(sources: ScopeSources): string | undefined {
  if (sources.pinned !== undefined) return unionScope(sources.pinned, sources.required)
  const asked = sources.challenge ?? (sources.required === undefined ? sources.resource?.join(' ') : undefined)
  // What an earlier login asked for may have been asked of another authorization server.
  const required = addedScope(OFFLINE, sources.required).join(' ')
  const offline = sources.offlineAccess && sources.authorizationServer?.includes(OFFLINE)
  return unionScope(required, asked, offline ? OFFLINE : undefined)
}

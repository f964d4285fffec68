import { publicUrl } from '../errors/text.js'
import type { Client } from '../messages/client-information.js'
import type { Diagnostic } from '../ports/log.js'
import { defined } from '../primitives/defined.js'
import type { ConnectionCore } from './connection-core.js'
import { grantedOf } from './current-token.js'

/** Where a connection's login came from, how long it lasts, and what was tolerated on the way. Nothing in it is secret. */
export interface Explanation {
  /** The MCP server, without query: a query can be a secret. */
  readonly url: string
  /** Whose login it is; absent: the only one. */
  readonly account?: string
  /** Where the records are, in words for a person. */
  readonly store: string
  /**
   * By what it is decided whether OAuth may send something to an address: the address that is connected to, or the names and
   * literal addresses in URLs alone.
   */
  readonly addressPolicy: 'connected-address' | 'names-and-literals'
  /** The login that is held; absent: none, or one that was ended. */
  readonly grant?: GrantExplanation
  /** What this connector tolerated or discarded for this connection, each deviation once; it remembers the last few hundred. */
  readonly diagnostics: readonly Diagnostic[]
}

/** A login that is held. */
export interface GrantExplanation {
  /** The authorization server, in its own words (RFC 8414 section 2). */
  readonly issuer: string
  /** Absent where an assertion alone was the credential. */
  readonly clientId?: string
  /** How the client became known: by hand, as the URL of its metadata document, by a dynamic registration (RFC 7591). */
  readonly clientOrigin?: Client['origin']
  /** The protected resource, in its own words (RFC 9728 section 2). */
  readonly resource: string
  /** Space-separated; absent: none was asked for. */
  readonly scopeRequested?: string
  /** Space-separated; absent: the server did not say, so it is what was asked for (RFC 6749 section 5.1). */
  readonly scopeGranted?: string
  /** When the access token expires, in milliseconds since the epoch; absent: unknown. */
  readonly expiresAt?: number
  /** Whether new tokens can be had without a person: by a refresh token that may still be sent, or by `credentials`. */
  readonly renewable: boolean
  /** Whether the tokens are bound to a key (RFC 9449). */
  readonly dpop: boolean
  /** When the present access token came, in milliseconds since the epoch. */
  readonly obtainedAt: number
}

export async function explain(core: ConnectionCore): Promise<Explanation> {
  core.open()
  const { held, runtime, url, account } = core
  const { grant: known } = await held.read()
  const { records, trace, store } = runtime
  const granted = grantedOf(known)
  const diagnostics = trace.diagnostics(core, await records.key('grant', [url, account]))
  const grant =
    granted &&
    defined({
      issuer: granted.target.issuer,
      clientId: granted.client?.client_id,
      clientOrigin: granted.client?.origin,
      resource: granted.target.resource,
      scopeRequested: granted.target.scope,
      scopeGranted: granted.tokens.scope,
      expiresAt: granted.tokens.expires_at,
      renewable: core.renewable,
      dpop: granted.tokens.token_type === 'DPoP',
      obtainedAt: granted.tokens.issued_at,
    })
  const addressPolicy = 'names-and-literals'
  // The name last: a store that is chosen at its first use has none before.
  return defined({ url: publicUrl(url), account, addressPolicy, grant, diagnostics, store: store.name } as const)
}

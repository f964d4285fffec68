import { TOKEN_EXCHANGE, tokenType } from '../credentials/token-types.js'
import { CountersignError } from '../errors/error.js'
import { toTokens } from '../messages/token-response.js'
import { defined } from '../primitives/defined.js'
import type { ConnectionCore } from './connection-core.js'
import { grantedOf } from './current-token.js'
import { wait } from './patience.js'
import { nobody, present } from './presenting.js'
import { registeredFor } from './secrets.js'
import { token } from './token.js'

/** What a down-scoped token is for. */
export interface ExchangeOptions {
  /** The resource that it is for, an absolute URL (RFC 8707). Default: this server, unless `audience` is given. */
  readonly resource?: string
  /** Whom it is for, by a name that the authorization server knows (RFC 8693 section 2.1). */
  readonly audience?: string
  /** Space-separated; what is left out is up to the server. */
  readonly scope?: string
  /** Gives up waiting. Default: none. */
  readonly signal?: AbortSignal
}

/** A token for somebody else. */
export interface ExchangedToken {
  /** For whom it was asked for. It is not kept here. */
  readonly accessToken: string
  /** `DPoP`: bound to the key of this login, and of use to nobody else. */
  readonly tokenType: 'Bearer' | 'DPoP'
  /** Milliseconds since the epoch; absent: unknown. */
  readonly expiresAt?: number
  /** Space-separated; absent: what was asked for. */
  readonly scope?: string
}

/** What `connection.exchange()` works with. Opaque: core's own, made by `tokenExchange()`. */
export interface TokenExchange {
  readonly kind: 'token_exchange'
}

/** What is behind it. */
export interface Exchanging extends TokenExchange {
  exchange(core: ConnectionCore, options: ExchangeOptions): Promise<ExchangedToken>
}

/**
 * Brings token exchange (RFC 8693) to a connector, for `connection.exchange()`.
 *
 * @example
 * ```ts
 * const connector = createConnector({ appId, tokenExchange: tokenExchange() })
 * const { accessToken } = await connector.connect(url).exchange({ scope: 'notes:read' })
 * ```
 */
export const tokenExchange = (): TokenExchange => {
  const made: Exchanging = { kind: 'token_exchange', exchange }
  return made
}

const step = 'token_exchange'

async function exchange(core: ConnectionCore, options: ExchangeOptions): Promise<ExchangedToken> {
  const { audience, scope, signal, resource } = options
  const { accessToken: subject_token } = await token(core, defined({ signal }))
  const granted = grantedOf(core.held.known)
  if (granted === undefined) {
    const expected = 'a login or credentials, whose token can be exchanged'
    throw new CountersignError('options_invalid', { step, url: core.url, expected, received: 'static credentials' })
  }
  const { target, client } = granted
  const parameters = {
    grant_type: TOKEN_EXCHANGE,
    subject_token,
    subject_token_type: tokenType('access_token'),
    requested_token_type: tokenType('access_token'),
    audience,
    scope,
    // Where somebody is named, this server is not whom it is for.
    resource: resource ?? (audience === undefined ? target.resource_parameter : undefined),
  }
  const registered = client?.origin === 'registered' ? registeredFor(core, target.issuer) : undefined
  const request = { step, target, parameters, issuedTokenType: tokenType('access_token') }
  // The request has its own deadline; this one lets a caller go that gives up.
  const timeoutMs = 3 * core.runtime.requestTimeoutMs
  const response = await wait(core, { step, timeoutMs, code: 'request_timeout', signal }, () =>
    present(core, request, client ?? nobody, registered),
  )
  const { access_token, token_type, expires_at, scope: granted_scope } = toTokens(response)
  return defined({ accessToken: access_token, tokenType: token_type, expiresAt: expires_at, scope: granted_scope })
}

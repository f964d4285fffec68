import { CountersignError } from '../errors/error.js'
import type { TokenResponse } from '../messages/token-response.js'
import type { RegisteredClient, Secret, trustDiscovered } from './registered-client.js'

/** Members of a token request; those that are undefined are left out. */
export type GrantParameters = Readonly<Record<string, string | undefined>>

/** Another authorization server than the one that was discovered. */
export interface Elsewhere {
  /** Its client there. The issuer is discovered, or only compared where `endpoint` is given. */
  readonly client: RegisteredClient & { readonly issuer: string }
  /** Its token endpoint, where discovery is not wanted. */
  readonly endpoint?: string | undefined
  /** What must come (RFC 8693 section 2.2.1): an answer that names another `issued_token_type`, or none, is refused. */
  readonly issuedTokenType?: string
}

/** What an acquisition may use: the discovered server, and the one door to token endpoints. */
export interface AcquireContext {
  /** The MCP server. */
  readonly url: string
  /** The discovered authorization server. */
  readonly issuer: string
  /** What token requests carry as `resource` by themselves; undefined where the host omits it for this server. */
  readonly resource: string | undefined
  /** Space-separated. */
  readonly scope: string | undefined
  /** A token is held that is no longer good enough: what gave it must not be answered from a cache. */
  readonly fresh: boolean
  /** Ends with the lease, and when the connector closes. */
  readonly signal: AbortSignal
  /**
   * A secret as text, from its supplier where it has one.
   *
   * @throws CountersignError `options_invalid` where the supplier fails, or is silent for `requestTimeoutMs`
   */
  reveal(secret: Secret): Promise<string>
  /**
   * Sends a token request with the client's authentication, to the discovered server unless `at` says where.
   *
   * @throws CountersignError `token_request_rejected` (its `oauth` says why), `token_response_invalid`, `server_unavailable`,
   * `options_invalid`, and what an OAuth request throws
   */
  request(parameters: GrantParameters, at?: Elsewhere): Promise<TokenResponse>
}

/** One way of obtaining tokens without a person. */
export interface Acquisition {
  /** The only issuer that what it sends belongs to, or `trustDiscovered`. */
  readonly issuer: string | typeof trustDiscovered
  /** The client at that issuer; none where an assertion alone is the credential. */
  readonly client?: RegisteredClient
  /** Tokens from the server. A refresh token is not kept: what is acquired once can be acquired again. */
  acquire(context: AcquireContext): Promise<TokenResponse>
}

/** A token for a JWT, whoever signed it (RFC 7523 section 2.1). */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** Whether a server refused what was presented to it (RFC 7523 section 3.1, RFC 8693 section 2.2.2). */
const refusedGrant = (error: unknown): boolean =>
  CountersignError.is(error) && /^invalid_(grant|request)$/.test(error.oauth?.error ?? '')

/** Presents a secret. Its supplier is asked once more when the server refuses it, in case it has another by now. */
export async function presented<T>(
  { reveal }: AcquireContext,
  secret: Secret,
  send: (value: string) => Promise<T>,
): Promise<T> {
  const value = await reveal(secret)
  try {
    return await send(value)
  } catch (error) {
    const next = typeof secret === 'string' || !refusedGrant(error) ? value : await reveal(secret)
    if (next === value) throw error
    return send(next)
  }
}

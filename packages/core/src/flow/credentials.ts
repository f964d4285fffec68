import type { RegisteredClient } from '../credentials/registered-client.js'
import type { Acquired } from './acquire-transaction.js'
import type { ConnectionCore } from './connection-core.js'
import type { Grant } from './grant.js'
import type { McpRequest } from './mcp-request.js'

/** A way to a server without a person, made by one of the factories. Opaque: core's own, brought in by what makes it. */
export interface Credentials {
  readonly kind: 'grant' | 'static'
}

/** Tokens without a person. */
export interface GrantCredentials extends Credentials {
  readonly kind: 'grant'
  readonly client: RegisteredClient | undefined
  /** As what resource metadata may list the only issuer that they belong to; undefined: any. */
  readonly listings: readonly string[] | undefined
  /**
   * Gets tokens into the record, its own or those that somebody else has just got.
   *
   * @param had - what is no longer good enough
   * @param scope - what they have to cover besides what was asked before
   * @param leave - whether nobody needs to wait for somebody else
   */
  obtain(
    core: ConnectionCore,
    had: Grant,
    scope: string | undefined,
    signal: AbortSignal,
    leave: () => boolean,
  ): Promise<Acquired>
}

/** Headers instead of OAuth. */
export interface StaticCredentials extends Credentials {
  readonly kind: 'static'
  send(core: ConnectionCore, request: McpRequest): Promise<Response>
  /**
   * The bearer token among the headers.
   *
   * @throws CountersignError `options_invalid` where there is none
   */
  token(core: ConnectionCore): Promise<string>
}

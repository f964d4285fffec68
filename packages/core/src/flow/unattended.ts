import type { Acquisition } from '../credentials/acquisition.js'
import { byClientCredentials, type ConfidentialClient } from '../credentials/client-credentials.js'
import { byEnterprise, type EnterpriseManagedOptions } from '../credentials/enterprise-managed.js'
import type { Secret } from '../credentials/registered-client.js'
import { byHeaders, byToken, type HeaderRecord } from '../credentials/static.js'
import { byWorkloadIdentity, type WorkloadIdentityOptions } from '../credentials/workload-identity.js'
import { acquiring } from './acquiring.js'
import type { Credentials } from './credentials.js'
import { instead } from './static-credentials.js'

/**
 * The client's own tokens (RFC 6749 section 4.4; MCP extension `io.modelcontextprotocol/oauth-client-credentials`).
 *
 * @param client - belongs to the issuer named in it: a server whose discovery leads elsewhere gets `issuer_not_expected`, and
 * nothing is sent
 * @throws CountersignError `options_invalid` where it has neither a secret nor a key
 * @example
 * ```ts
 * createConnector({ appId, credentials: clientCredentials({ issuer: 'https://as.example.com', clientId, clientSecret }) })
 * ```
 */
export const clientCredentials = (client: ConfidentialClient): Credentials => acquiring(byClientCredentials(client))

/**
 * A workload's own token, as its platform signs it, for an access token (RFC 7523 section 2.1; MCP extension
 * `io.modelcontextprotocol/auth/wif`). No client is registered and none is named.
 *
 * @throws CountersignError, when it is used: `options_invalid` (the supplier of the assertion failed), `issuer_not_expected`,
 * `token_request_rejected`
 * @example
 * ```ts
 * workloadIdentity({ issuer: 'https://as.example.com', assertion: async () => readFile(tokenFile, 'utf8') })
 * ```
 */
export const workloadIdentity = (options: WorkloadIdentityOptions): Credentials =>
  acquiring(byWorkloadIdentity(options))

/**
 * Access that an organisation decides about at its identity provider (MCP extension
 * `io.modelcontextprotocol/enterprise-managed-authorization`): the person's identity assertion is exchanged there for one that is
 * made for this authorization server (ID-JAG, RFC 8693), and that for an access token (RFC 7523). Nobody is sent to a page.
 *
 * @throws CountersignError `options_invalid` unless there is exactly one identity assertion
 * @example
 * ```ts
 * enterpriseManaged({
 *   issuer: 'https://as.example.com', clientId, clientSecret,
 *   identityProvider: { issuer: 'https://idp.example.com', clientId: idpClientId },
 *   idToken: async () => session.idToken,
 * })
 * ```
 */
export const enterpriseManaged = (options: EnterpriseManagedOptions): Credentials => acquiring(byEnterprise(options))

/**
 * A way of your own: see `AcquireContext` for what it may use. Client authentication, errors and the lease stay core's.
 *
 * @throws CountersignError, when it is used: `issuer_not_expected`, and what `acquire` throws
 * @example
 * ```ts
 * customCredentials({ issuer, client: { issuer, clientId }, acquire: ({ request }) => request({ grant_type: 'urn:example:grant' }) })
 * ```
 */
export const customCredentials = (way: Acquisition): Credentials => acquiring(way)

/**
 * A token that was had elsewhere, sent as a bearer token (RFC 6750 section 2.1). A supplier is asked again once when the server
 * refuses it. OAuth is off.
 *
 * @throws CountersignError, when it is used: `header_rejected`, `options_invalid` (the supplier failed)
 */
export const staticToken = (token: Secret): Credentials => instead(byToken(token))

/**
 * Headers that the host brings, for servers that want an API key, say. A function is asked again once when the server refuses what
 * it gave. OAuth is off.
 *
 * @throws CountersignError, when it is used: `header_rejected`, `options_invalid` (the function failed)
 */
export const staticHeaders = (headers: HeaderRecord | (() => HeaderRecord | Promise<HeaderRecord>)): Credentials =>
  instead(byHeaders(headers))

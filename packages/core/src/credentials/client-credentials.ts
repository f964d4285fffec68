import { CountersignError } from '../errors/error.js'
import type { Acquisition } from './acquisition.js'
import { type PrivateKeyClient, privateKeyJwt } from './private-key-jwt.js'
import type { RegisteredClient, Secret } from './registered-client.js'

/** A client that can prove who it is: by a secret, by a key, or as `privateKeyJwt()` made it. */
export type ConfidentialClient =
  | (RegisteredClient & { readonly clientSecret: Secret })
  | PrivateKeyClient
  | RegisteredClient

/** A client with a key, made ready where it was given as it is. */
export const readyClient = (client: ConfidentialClient): RegisteredClient =>
  client.privateKey === undefined ? client : privateKeyJwt(client)

/**
 * The client's own tokens (RFC 6749 section 4.4; MCP extension `io.modelcontextprotocol/oauth-client-credentials`).
 *
 * @throws CountersignError `options_invalid` where the client has neither a secret nor a key (RFC 6749 section 4.4.2)
 */
export function byClientCredentials(options: ConfidentialClient): Acquisition {
  const client = readyClient(options)
  if (client.clientSecret === undefined && client.authenticate === undefined) {
    const expected = 'clientCredentials with a clientSecret or a privateKey'
    throw new CountersignError('options_invalid', { step: 'connect', expected, received: 'neither' })
  }
  return {
    issuer: client.issuer,
    client,
    acquire: ({ request, scope }) => request({ grant_type: 'client_credentials', scope }),
  }
}

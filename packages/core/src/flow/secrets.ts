import { CountersignError } from '../errors/error.js'
import type { Client } from '../messages/client-information.js'
import type { ConnectionCore } from './connection-core.js'
import { type RegisteredClient, type Secret, trustDiscovered } from './options.js'

/** The client that was registered by hand for this issuer, if there is one. */
export function registeredFor({ options }: ConnectionCore, issuer: string): RegisteredClient | undefined {
  const all = [options.client?.registered ?? []].flat()
  return all.find((client) => client.issuer === issuer) ?? all.find((client) => client.issuer === trustDiscovered)
}

/** The client with its secret: that of a client registered by hand stays with the host and is never in a record. */
export async function withSecret(core: ConnectionCore, issuer: string, client: Client): Promise<Client> {
  const secret = client.origin === 'registered' ? registeredFor(core, issuer)?.clientSecret : undefined
  return secret === undefined ? client : { ...client, client_secret: await reveal(secret) }
}

/**
 * A secret as text, from its supplier where it has one.
 *
 * @throws CountersignError `options_invalid` where the supplier fails; its own error is the cause
 */
export async function reveal(secret: Secret): Promise<string> {
  if (typeof secret === 'string') return secret
  try {
    return await secret()
  } catch (cause) {
    throw new CountersignError('options_invalid', {
      step: 'authenticate',
      expected: 'a secret from its supplier',
      cause,
    })
  }
}

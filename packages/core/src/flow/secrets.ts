import { type RegisteredClient, type Secret, trustDiscovered } from '../credentials/registered-client.js'
import { CountersignError } from '../errors/error.js'
import { withDeadline } from '../http/deadline.js'
import type { AuthenticatingClient } from '../messages/client-authentication.js'
import type { Client } from '../messages/client-information.js'
import { askForClient } from './ask-client.js'
import type { ConnectionCore } from './connection-core.js'

/** The client that was registered by hand for this issuer, if there is one. */
export function registeredFor(
  { options, acquires, told }: ConnectionCore,
  issuer: string,
): RegisteredClient | undefined {
  const all = [(acquires ? acquires.client : options.client?.registered) ?? [], told ?? []].flat()
  return all.find((client) => client.issuer === issuer) ?? all.find((client) => client.issuer === trustDiscovered)
}

/** The client with what authenticates it: the secret of one registered by hand stays with the host and is never in a record. */
export async function withSecret(core: ConnectionCore, issuer: string, client: Client): Promise<AuthenticatingClient> {
  if (client.origin !== 'registered') return client
  // One that another process was told of, and that has a secret: only the host knows it.
  const known = registeredFor(core, issuer)
  const lost = known === undefined && client.token_endpoint_auth_method !== 'none'
  const registered = lost ? await askForClient(core, issuer, client.redirect_uri ?? '') : known
  return registered === undefined ? client : authenticated(core, issuer, client, registered)
}

/** A client that was registered by hand, with its secret or key. */
export async function authenticated(
  core: ConnectionCore,
  issuer: string,
  client: Client,
  { clientSecret, authenticate }: RegisteredClient,
): Promise<AuthenticatingClient> {
  if (authenticate !== undefined) {
    const { clock, random } = core.runtime
    const assertion = await authenticate((secret) => reveal(core, secret))
    return { ...client, authenticate: () => assertion({ issuer, now: clock.now(), random }) }
  }
  return clientSecret === undefined ? client : { ...client, client_secret: await reveal(core, clientSecret) }
}

/**
 * A secret as text, from its supplier where it has one.
 *
 * @throws CountersignError `options_invalid` where the supplier fails, its own error the cause, or is silent for `requestTimeoutMs`
 */
export const reveal = async (core: ConnectionCore, secret: Secret): Promise<string> =>
  typeof secret === 'string' ? secret : supplied(core, secret)

/** As `reveal`, for what is not a text. */
export async function supplied<T>({ runtime }: ConnectionCore, supply: () => Promise<T>): Promise<T> {
  const failed = (received: string, cause?: unknown): CountersignError =>
    new CountersignError('options_invalid', {
      step: 'authenticate',
      expected: 'a secret from its supplier',
      received,
      ...(cause !== undefined && { cause }),
    })
  const { clock, requestTimeoutMs: timeoutMs } = runtime
  const silent = (): CountersignError => failed(`nothing within ${timeoutMs} ms`)
  try {
    return await withDeadline({ clock, timeoutMs, onTimeout: silent, onAbort: silent }, async () => supply())
  } catch (cause) {
    throw CountersignError.is(cause) ? cause : failed('an exception', cause)
  }
}

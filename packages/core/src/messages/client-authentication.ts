import type { Client } from './client-information.js'

/** A client with what authenticates it, which no record holds. */
export interface AuthenticatingClient extends Client {
  /** Makes the members of a request's body that authenticate it; each request gets its own. */
  readonly authenticate?: () => Promise<Readonly<Record<string, string>>>
}

// Servers that do not decode are common, so characters that form encoding may leave alone are left alone.
const formEncode = (text: string): string =>
  new URLSearchParams([['', text]])
    .toString()
    .slice(1)
    .replace(/%(?:21|27|28|29|7E)/g, decodeURIComponent)

/**
 * Adds the client's authentication to a token, revocation or device authorization request, by exactly one method (RFC 6749
 * sections 2.3.1 and 3.2.1).
 *
 * @returns `false`, with nothing added, for a method that is not known here or lacks its secret
 */
export function applyClientAuthentication(
  client: Client,
  headers: Record<string, string>,
  body: URLSearchParams,
): boolean {
  const { client_id, client_secret, token_endpoint_auth_method: method } = client
  if (method === 'client_secret_basic' && client_secret !== undefined) {
    headers.authorization = `Basic ${btoa(`${formEncode(client_id)}:${formEncode(client_secret)}`)}`
    return true
  }
  const secret = method === 'client_secret_post' ? client_secret : undefined
  if (method !== 'none' && secret === undefined) return false
  body.set('client_id', client_id)
  if (secret !== undefined) body.set('client_secret', secret)
  return true
}

/**
 * The method to use where neither the host nor a registration names one.
 *
 * @param supported - `token_endpoint_auth_methods_supported`; where it is absent a secret goes by `client_secret_basic`
 *   (RFC 8414 section 2)
 * @returns `undefined` if the server lists nothing that is available
 */
export function chooseAuthMethod(supported: readonly string[] | undefined, hasSecret: boolean): string | undefined {
  // A server that lists only `none` may issue secrets all the same.
  const available = hasSecret ? ['client_secret_basic', 'client_secret_post', 'none'] : ['none']
  return available.find((method) => supported?.includes(method) ?? true)
}

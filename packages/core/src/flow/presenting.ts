import type { RegisteredClient } from '../credentials/registered-client.js'
import { CountersignError } from '../errors/error.js'
import type { AuthenticatingClient } from '../messages/client-authentication.js'
import type { Client } from '../messages/client-information.js'
import type { TokenResponse } from '../messages/token-response.js'
import { type TokenRequest, tokenRequest } from '../steps/token-request.js'
import type { ConnectionCore } from './connection-core.js'
import { authenticated } from './secrets.js'

/** Where the assertion alone is the credential: not even a `client_id` is sent. */
export const nobody: AuthenticatingClient = {
  client_id: '',
  token_endpoint_auth_method: 'none',
  origin: 'registered',
  authenticate: async () => ({}),
}

/**
 * A token request in which something is presented. Where the server refuses the client, the host is asked once more for its
 * secret or key, in case there is another by now.
 *
 * @param registered - where the client's secret or key comes from, if it is one of the host's
 * @param known - the client with it, where it was had already
 * @throws CountersignError what the answer means, and what the door throws
 */
export async function present(
  core: ConnectionCore,
  request: Omit<TokenRequest, 'client'>,
  client: Client,
  registered: RegisteredClient | undefined,
  known?: AuthenticatingClient,
): Promise<TokenResponse> {
  const { issuer } = request.target
  const ready = async (): Promise<AuthenticatingClient> =>
    registered ? authenticated(core, issuer, client, registered) : client
  const first = known ?? (await ready())
  let answer = await tokenRequest(core.context, { ...request, client: first })
  const mayChange = typeof registered?.clientSecret === 'function' || registered?.authenticate !== undefined
  if (answer.kind === 'rejected' && answer.oauth.error === 'invalid_client' && mayChange) {
    const next = await ready()
    if (next.authenticate || next.client_secret !== first.client_secret) {
      answer = await tokenRequest(core.context, { ...request, client: next })
    }
  }
  if (answer.kind === 'tokens') return answer.response
  const { kind, error } = answer
  if (kind !== 'rejected' || error.action === 'fix_configuration') throw error
  // Nobody can sign in here: what was presented, or as whom, is for the host to correct.
  const hint =
    'The server refuses the client, what it presents or the scope: correct what is configured for this issuer.'
  throw new CountersignError(error.code, { ...error, action: 'fix_configuration', hint })
}

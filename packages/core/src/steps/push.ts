import { CountersignError } from '../errors/error.js'
import type { AuthenticatingClient } from '../messages/client-authentication.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import { parseJsonObject, readDocument } from '../messages/parsed.js'
import { accept, cannotAnswer, type StepContext, succeeded, unavailable } from './context.js'
import { postForm } from './post-form.js'
import { forgets } from './token-request.js'

const step = 'prepare'
const refusal = 'authorization_rejected'

/**
 * Sends an authorization request ahead of the person (RFC 9126), so that the browser carries a reference to it alone.
 *
 * @returns the `request_uri`, or undefined when the server no longer knows a client that it had registered
 * @throws CountersignError `authorization_rejected`, `server_unavailable`, `client_authentication_unsupported`, and what the door
 * throws
 */
export async function push(
  context: StepContext,
  url: string,
  client: AuthenticatingClient,
  parameters: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const answer = await postForm(context, { step, url, client, parameters })
  const { status, text, secrets } = answer
  if (cannotAnswer(status)) throw unavailable(context, step, answer)
  if (succeeded(status)) {
    return accept(context, { step, url, refusal }, readDocument(parseJsonObject(text), 'request_uri', {})).request_uri
  }
  const oauth = parseOAuthError(text, secrets)
  if (forgets(client, oauth)) return undefined
  throw new CountersignError(refusal, { step, url, received: `HTTP ${status}`, oauth })
}

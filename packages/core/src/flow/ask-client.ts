import { type RegisteredClient, trustDiscovered } from '../credentials/registered-client.js'
import { CountersignError } from '../errors/error.js'
import type { ConnectionCore } from './connection-core.js'
import { forPerson } from './for-person.js'

const step = 'register'
/** What leaves no other way to a client. */
const NO_OTHER_WAY = new Set(['client_id_required', 'registration_rejected'])

/**
 * Asks the host for a client, which may ask a person.
 *
 * @param failure - what there was instead of a client; one that may pass is no reason to ask
 * @throws CountersignError `login_timeout`, `login_cancelled`, `options_invalid` (the answer is for another issuer, or the host
 * failed)
 */
export async function askForClient(
  core: ConnectionCore,
  issuer: string,
  redirectUri: string,
  failure?: unknown,
  signal: AbortSignal = new AbortController().signal,
): Promise<RegisteredClient | undefined> {
  const { url, options, runtime } = core
  const { ask } = options.client ?? {}
  const nothingElse = failure === undefined || (CountersignError.is(failure) && NO_OTHER_WAY.has(failure.code))
  if (ask === undefined || !nothingElse) return undefined
  const wrong = (received: string, cause?: unknown): CountersignError =>
    new CountersignError('options_invalid', {
      step,
      url,
      expected: `client.ask: a client for ${issuer}`,
      received,
      cause,
    })
  const need = { url, issuer, redirectUri }
  const told = await forPerson({ core, signal }, runtime.loginTimeoutMs, async () => ask(need)).catch(
    (cause: unknown) => {
      throw CountersignError.is(cause) ? cause : wrong('an exception', cause)
    },
  )
  if (told === undefined) return undefined
  if (told.issuer !== issuer && told.issuer !== trustDiscovered) throw wrong(`one for ${told.issuer}`)
  core.told = told
  return told
}

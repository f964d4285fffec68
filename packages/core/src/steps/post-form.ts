import { CountersignError } from '../errors/error.js'
import type { HttpResponse } from '../http/http.js'
import { type AuthenticatingClient, applyClientAuthentication } from '../messages/client-authentication.js'
import type { StepContext } from './context.js'

/** A request to one of the endpoints where a client authenticates. */
export interface FormRequest {
  readonly step: string
  readonly url: string
  readonly client: AuthenticatingClient
  /** Members that are undefined are left out. */
  readonly parameters: Readonly<Record<string, string | undefined>>
  readonly timeoutMs?: number | undefined
  /** The key whose possession is proven (RFC 9449 section 5): `Target.dpop_key_id`. */
  readonly key?: string | undefined
}

/** What must not be read in a message although the server repeats it, by the ends of the names. */
const SECRET = /(code|verifier|token|assertion|secret)$/

/**
 * Posts a form with the client's authentication (RFC 6749 sections 2.3.1 and 3.2, RFC 7521 section 4.2), and with the proof of a
 * key where there is one.
 *
 * @returns the answer, and what was sent in confidence
 * @throws CountersignError `client_authentication_unsupported`, `options_invalid` (a key or its supplier), `dpop_required`,
 * `store_unavailable` (the key that is to be proven), and what the door throws
 */
export async function postForm(
  context: StepContext,
  request: FormRequest,
): Promise<HttpResponse & { readonly secrets: readonly (string | undefined)[] }> {
  const { step, url, client, parameters, timeoutMs = Infinity, key } = request
  const { clock, http } = context
  const until = clock.monotonic() + timeoutMs
  let sent: string[] = []
  // Whatever is good once, an assertion say, is made anew for each time that the request is sent.
  const send = async (proof: Readonly<Record<string, string>> = {}): Promise<HttpResponse> => {
    const headers: Record<string, string> = { ...proof }
    const body = new URLSearchParams()
    const assertion = await client.authenticate?.()
    for (const [name, value] of Object.entries({ ...parameters, ...assertion }))
      if (value !== undefined) body.set(name, value)
    if (!assertion && !applyClientAuthentication(client, headers, body)) {
      throw new CountersignError('client_authentication_unsupported', {
        step,
        url,
        expected: 'none, client_secret_basic or client_secret_post',
        received: client.token_endpoint_auth_method,
      })
    }
    sent = [...body].flatMap(([name, value]) => (SECRET.test(name) ? value : [])).concat(Object.values(proof))
    const left = until < Infinity ? Math.max(until - clock.monotonic(), 0) : undefined
    return http.send({ step, method: 'POST', url, headers, body, timeoutMs: left })
  }
  const answer = await (key === undefined ? send() : context.proofs().through(key, url, send))
  return { ...answer, secrets: [client.client_secret, ...sent] }
}

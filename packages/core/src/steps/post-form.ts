import { CountersignError } from '../errors/error.js'
import type { HttpResponse } from '../http/http.js'
import { applyClientAuthentication } from '../messages/client-authentication.js'
import type { Client } from '../messages/client-information.js'
import type { StepContext } from './context.js'

/** A request to one of the endpoints where a client authenticates. */
export interface FormRequest {
  readonly step: string
  readonly url: string
  readonly client: Client
  /** Members that are undefined are left out. */
  readonly parameters: Readonly<Record<string, string | undefined>>
  readonly timeoutMs?: number | undefined
}

/**
 * Posts a form with the client's authentication (RFC 6749 sections 2.3.1 and 3.2).
 *
 * @throws CountersignError `client_authentication_unsupported`, and what the door throws
 */
export async function postForm(context: StepContext, request: FormRequest): Promise<HttpResponse> {
  const { step, url, client, parameters, timeoutMs } = request
  const headers: Record<string, string> = {}
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) body.set(name, value)
  if (applyClientAuthentication(client, headers, body)) {
    return context.http.send({ step, method: 'POST', url, headers, body, timeoutMs })
  }
  throw new CountersignError('client_authentication_unsupported', {
    step,
    url,
    expected: 'none, client_secret_basic or client_secret_post',
    received: client.token_endpoint_auth_method,
  })
}

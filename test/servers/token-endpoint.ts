import { type IncomingHttpHeaders, IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, sendAnswer } from './answer.js'

/** A token request that a test may interfere with. */
export interface TokenRequest {
  readonly grantType: string | undefined
  /** Has the codes and tokens themselves: not for printing. */
  readonly parameters: URLSearchParams
  readonly headers: IncomingHttpHeaders
}

/**
 * What becomes of a token request: an answer instead of the real one (never a success), `'lose'` to let the server do
 * its work and cut the connection instead of answering, or nothing, for the real answer.
 */
export type TokenInterception = Answer | 'lose' | undefined

/** A test's hand on the token endpoint. All members may be set and cleared at any time. */
export interface TokenEndpointControl {
  /** Waits this long before each request reaches the server. */
  delayMs?: number | undefined
  /** How long the access tokens live that are issued from now on. Default: what the server was started with. */
  accessTokenTtlSeconds?: number | undefined
  /** Asked for each request, before the server sees it. A promise that stays open holds the request. */
  intercept?: ((request: TokenRequest) => TokenInterception | Promise<TokenInterception>) | undefined
}

/** Passes a token request on to the real endpoint, unless a test has something else in mind. */
export async function handleTokenRequest(
  control: TokenEndpointControl,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  endpoint: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<void> {
  const { delayMs, intercept } = control
  if (delayMs !== undefined) await delay(delayMs, undefined, { ref: false })

  const parameters = new URLSearchParams(body.toString('utf8'))
  const grantType = parameters.get('grant_type') ?? undefined
  const interception = await intercept?.({ grantType, parameters, headers: request.headers })

  if (interception === undefined) {
    endpoint(again(request, body), response)
  } else if (interception === 'lose') {
    loseAnswer(response)
    endpoint(again(request, body), response)
  } else if (isSuccess(interception)) {
    throw new Error('a token request may be failed, delayed or lost, but a success must come from the real server')
  } else {
    await sendAnswer(response, interception)
  }
}

function isSuccess(answer: Answer): boolean {
  const status = answer.status ?? 200
  const answers = answer.body !== undefined || answer.json !== undefined || answer.status !== undefined
  return answers && status >= 200 && status < 300
}

/** The same request with its body unread, for the handler behind us. */
function again(request: IncomingMessage, body: Buffer): IncomingMessage {
  const copy = new IncomingMessage(request.socket)
  copy.method = request.method
  copy.url = request.url
  copy.httpVersion = request.httpVersion
  copy.httpVersionMajor = request.httpVersionMajor
  copy.httpVersionMinor = request.httpVersionMinor
  copy.headers = request.headers
  copy.rawHeaders = request.rawHeaders
  copy.push(body)
  copy.push(null)
  copy.complete = true
  return copy
}

/** The server has done its work once it ends the answer: that is the moment to cut the connection. */
function loseAnswer(response: ServerResponse): void {
  response.write = () => true
  response.end = () => {
    response.destroy()
    return response
  }
}

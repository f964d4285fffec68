import { type BearerChallenge, readBearerChallenge } from '../messages/bearer-challenge.js'
import { cannotAnswer, type StepContext, unavailable } from './context.js'

const step = 'discover'

// What every MCP client of the revisions with sessions begins with; later servers ask for a token before they look at it.
const INITIALIZE =
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":' +
  '{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"countersign","version":"0"}}}'

/**
 * Makes an MCP server say its challenge, by a request without a token.
 *
 * @returns the challenge of its 401, or what it answered instead
 * @throws CountersignError `server_unavailable`, and what the door throws
 */
export async function askForChallenge(
  context: StepContext,
  url: string,
  signal: AbortSignal | undefined,
): Promise<BearerChallenge | string> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const response = await context.http.send({ step, method: 'POST', url, headers, body: INITIALIZE, signal })
  const { status } = response
  if (cannotAnswer(status)) throw unavailable(context, step, response)
  if (status !== 401) return `HTTP ${status} without a token`
  const challenge = readBearerChallenge(response.headers.get('www-authenticate'))
  for (const deviation of challenge.tolerated) context.diagnose({ ...deviation, url })
  return challenge
}

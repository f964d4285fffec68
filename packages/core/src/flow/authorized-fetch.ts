import { CountersignError } from '../errors/error.js'
import type { Fetch } from '../ports/fetch.js'
import { audited } from './audited.js'
import { climb, discard } from './climb.js'
import type { ConnectionCore } from './connection-core.js'
import { tokensOf } from './current-token.js'
import { headersWith, type McpRequest, readRequest, send } from './mcp-request.js'

/**
 * `fetch` with this connection's token: attached to requests to the resource's own origin, kept good, and answered for when
 * the server refuses it.
 *
 * @throws CountersignError as `Connection.fetch` says
 * @throws what the runtime's `fetch` throws for the request itself
 */
export const authorizedFetch = (
  core: ConnectionCore,
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> => {
  const { audit } = core.runtime.options
  return audit === undefined
    ? authorized(core, input, init)
    : audited(core, audit, (door) => authorized(core, input, init, door))
}

async function authorized(
  core: ConnectionCore,
  input: string | URL | Request,
  init?: RequestInit,
  door?: Fetch,
): Promise<Response> {
  const { renewing, runtime, held } = core
  // The fast path: a token that is good for a while costs one copy of its header, and no look at the rest of the request.
  const fresh = runtime.clock.now() < renewing.fastUntil && !runtime.closed ? tokensOf(held.known) : undefined
  const headers = fresh && headersWith(core, fresh, input, init)
  if (headers !== undefined) {
    const response = await (door ?? runtime.fetch)(input, { ...init, headers })
    return refused(response) ? climb(core, readRequest(core, input, init, door), fresh, response) : response
  }

  const request = readRequest(core, input, init, door)
  if (request.headers === undefined) return runtime.fetch(input, init)
  if (request.ownAuthorization) return withOwnHeader(core, request)
  core.open()
  if (core.instead) return core.instead.send(core, request)
  const tokens = await renewing.current(request.signal, request.waited).catch((error: unknown) => {
    // This transport reconnects for ever when fetch throws; a refused token it understands.
    if (request.legacySse) return tokensOf(held.known)
    throw error
  })
  const response = await send(core, request, tokens)
  return refused(response) ? climb(core, request, tokens, response) : response
}

const refused = ({ status }: Response): boolean => status === 401 || status === 403

/** A header that the host set itself switches OAuth off; its rejection says so. */
async function withOwnHeader(core: ConnectionCore, request: McpRequest): Promise<Response> {
  const response = await send(core, request, undefined)
  if (response.status !== 401) return response
  await discard(response)
  throw new CountersignError('header_rejected', { step: 'authorize', url: request.url, received: 'HTTP 401' })
}

import type { HeaderSource } from '../credentials/static.js'
import { CountersignError } from '../errors/error.js'
import { sendable } from '../http/http.js'
import { discard } from './climb.js'
import type { ConnectionCore } from './connection-core.js'
import type { StaticCredentials } from './credentials.js'
import { type McpRequest, send } from './mcp-request.js'
import { supplied } from './secrets.js'

const HINT = 'Correct what staticToken() or staticHeaders() is given: OAuth is off for this server.'

/** Brings headers to a connector, in place of OAuth. */
export const instead = (source: HeaderSource): StaticCredentials => ({
  kind: 'static',
  send: (core, request) => sendWith(core, source, request),
  token: async (core) => {
    const headers = await given(core, source)
    const token = /^bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
    if (token !== undefined) return token
    const expected = 'staticHeaders with an Authorization: Bearer, for token()'
    throw new CountersignError('options_invalid', { step: 'authorize', url: core.url, expected, received: 'none' })
  },
})

const given = async (core: ConnectionCore, source: HeaderSource, rejected = false): Promise<Headers> =>
  sendable('authorize', await supplied(core, () => source.headers(rejected)))

/** Sends the request with the host's headers; where they are refused, the host is asked once more. */
async function sendWith(core: ConnectionCore, source: HeaderSource, request: McpRequest): Promise<Response> {
  const { url, legacySse, replayable } = request
  let headers = await given(core, source)
  for (let again = false; ; again = true) {
    const all = new Headers(request.headers)
    for (const [name, value] of headers) all.set(name, value)
    const response = await send(core, { ...request, headers: all, ownAuthorization: true }, undefined)
    if (response.status !== 401) {
      if (core.status.snapshot.status !== 'signed_in') core.status.set({ failure: undefined })
      return response
    }
    const next = again ? headers : await given(core, source, true)
    const same = JSON.stringify([...next]) === JSON.stringify([...headers])
    // This transport reconnects for ever when fetch throws; a 401 it understands.
    if (legacySse && (same || !replayable)) return response
    await discard(response)
    if (same) {
      const error = new CountersignError('header_rejected', {
        step: 'authorize',
        url,
        received: 'HTTP 401',
        hint: HINT,
      })
      core.status.set({ failure: error })
      throw error
    }
    if (!replayable) throw new CountersignError('request_not_replayable', { step: 'authorize', url })
    headers = next
  }
}

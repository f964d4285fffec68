import { publicUrl } from '../errors/text.js'
import type { Audit, AuditEntry } from '../ports/audit.js'
import type { Fetch } from '../ports/fetch.js'
import { defined } from '../primitives/defined.js'
import type { ConnectionCore } from './connection-core.js'
import { grantedOf } from './current-token.js'
import { tell } from './runtime.js'

/**
 * Runs one call of `fetch`, and tells the host of it if it carried a token: once, however often it had to be sent.
 *
 * @param call - is given what to send its authorized requests with
 */
export async function audited(
  core: ConnectionCore,
  audit: Audit,
  call: (door: Fetch) => Promise<Response>,
): Promise<Response> {
  const { held, runtime, account } = core
  let granted = grantedOf(held.known)
  let entry: AuditEntry | undefined
  const door: Fetch = async (input, init) => {
    // A sign-out may come between taking the token and sending it.
    granted = grantedOf(held.known) ?? granted
    const bare = granted === undefined || !new Headers(init?.headers).has('authorization')
    if (granted === undefined || bare) return runtime.fetch(input, init)
    const request = typeof input === 'object' && 'method' in input ? input : undefined
    const sent: AuditEntry = defined({
      at: runtime.clock.now(),
      url: publicUrl(request?.url ?? String(input)),
      account,
      method: (init?.method ?? request?.method ?? 'GET').toUpperCase(),
      issuer: granted.target.issuer,
      clientId: granted.client?.client_id,
    })
    entry = sent
    const response = await runtime.fetch(input, init)
    entry = { ...sent, status: response.status }
    return response
  }
  try {
    return await call(door)
  } finally {
    const told = entry
    if (told !== undefined) tell(() => audit(told))
  }
}

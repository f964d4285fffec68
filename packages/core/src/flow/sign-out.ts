import { CountersignError } from '../errors/error.js'
import { revoke } from '../steps/revoke.js'
import { forgetClient } from './client.js'
import type { ConnectionCore } from './connection-core.js'
import { usable } from './current-token.js'
import { withSecret } from './secrets.js'

/**
 * Signs out: the tombstone first, so that nothing that is under way can bring the login back, then the revocations. It waits
 * for nobody's lease.
 *
 * @param alsoClient - drop the dynamic registration too
 */
export async function signOut(core: ConnectionCore, alsoClient: boolean): Promise<void> {
  const { held, signingIn, status, url, context, runtime } = core
  signingIn.cancel(new CountersignError('login_cancelled', { step: 'sign_out', url }))
  // From what is known, not from what is stored: the newest refresh token may be in memory alone.
  let seen = await held.read()
  while ((await held.apply(seen, { type: 'signed_out' })) === undefined) seen = await held.read()
  const before = seen.grant
  runtime.prepared = undefined
  core.emit('signed_out', 'info')
  status.set({ personNeeded: false, failure: undefined })
  await revokeReplaced(core)
  if (before.phase === 'absent') return
  const { target, client, tokens } = before.granted
  if (client === undefined) return
  if (target.revocation_endpoint !== undefined && usable(tokens, context.clock.now())) {
    const known = await withSecret(core, target.issuer, client)
    await revoke(context, target, known, tokens.access_token, 'access_token')
  }
  if (alsoClient) await forgetClient(runtime, target.issuer, client.client_id)
}

/** Revokes every refresh token that a tombstone still names: what the record held, and what came too late for it. */
export async function revokeReplaced(core: ConnectionCore): Promise<void> {
  const grant = core.held.known
  if (grant?.phase !== 'absent') return
  const gone: string[] = []
  for (const { refresh_token, target, client } of grant.replaced ?? []) {
    const known = client && (await withSecret(core, target.issuer, client))
    if (known && (await revoke(core.context, target, known, refresh_token, 'refresh_token'))) gone.push(refresh_token)
  }
  if (gone.length > 0) await core.held.settle({ type: 'revoked', refresh_tokens: gone })
}

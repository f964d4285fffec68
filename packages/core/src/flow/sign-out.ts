import { revoke } from '../steps/revoke.js'
import { tokensOf, usable } from './current-token.js'
import type { HeldGrant } from './held-grant.js'
import { type Server, withSecret } from './server.js'

/**
 * Signs out: the tombstone first, so that nothing that is under way can bring the login back, then the revocations. It waits
 * for nobody's lease.
 */
export async function signOut(server: Server, held: HeldGrant): Promise<void> {
  const before = (await held.read()).grant
  await held.settle({ type: 'signed_out' })
  server.runtime.emit({ type: 'signed_out', level: 'info', url: server.url })
  await revokeReplaced(server, held)
  const tokens = tokensOf(before)
  if (before.phase === 'absent' || tokens === undefined || !usable(tokens, server.context.clock.now())) return
  const { target, client } = before.granted
  if (client === undefined || target.revocation_endpoint === undefined) return
  const known = await withSecret(server, target.issuer, client)
  await revoke(server.context, target, known, tokens.access_token, 'access_token')
}

/** Revokes every refresh token that a tombstone still names: what the record held, and what came too late for it. */
export async function revokeReplaced(server: Server, held: HeldGrant): Promise<void> {
  const { grant } = await held.read()
  if (grant.phase !== 'absent') return
  const gone: string[] = []
  for (const { refresh_token, target, client } of grant.replaced ?? []) {
    if (client === undefined) continue
    const known = await withSecret(server, target.issuer, client)
    if (await revoke(server.context, target, known, refresh_token, 'refresh_token')) gone.push(refresh_token)
  }
  if (gone.length > 0) await held.settle({ type: 'revoked', refresh_tokens: gone })
}

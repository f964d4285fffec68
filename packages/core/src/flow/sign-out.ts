import { CountersignError } from '../errors/error.js'
import type { Client } from '../messages/client-information.js'
import { revoke } from '../steps/revoke.js'
import type { Target } from '../steps/target.js'
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
  core.challenge = undefined
  core.emit('signed_out', 'info')
  status.set({ personNeeded: false, failure: undefined })
  await revokeReplaced(core)
  if (before.phase === 'absent') return
  const { target, client, tokens } = before.granted
  if (client === undefined) return
  // Where nothing can be revoked, once is enough to say it.
  const said = target.revocation_endpoint === undefined && tokens.refresh_token !== undefined
  if (!said && usable(tokens, context.clock.now())) {
    await revokeOne(core, target, client, tokens.access_token, 'access_token')
  }
  if (alsoClient) await forgetClient(runtime, target.issuer, client.client_id)
}

/** Revokes every refresh token that a tombstone still names: what the record held, and what came too late for it. */
export async function revokeReplaced(core: ConnectionCore): Promise<void> {
  const grant = core.held.known
  if (grant?.phase !== 'absent') return
  const gone = await Promise.all(
    (grant.replaced ?? []).map(async ({ refresh_token, target, client }) => {
      const revoked = client && (await revokeOne(core, target, client, refresh_token, 'refresh_token'))
      return revoked ? [refresh_token] : []
    }),
  )
  if (gone.flat().length > 0) await core.held.settle({ type: 'revoked', refresh_tokens: gone.flat() })
}

/** The person is signed out already: a secret that cannot be had keeps nobody signed in. */
async function revokeOne(
  core: ConnectionCore,
  target: Target,
  client: Client,
  token: string,
  hint: Parameters<typeof revoke>[4],
): Promise<boolean> {
  try {
    return await revoke(core.context, target, await withSecret(core, target.issuer, client), token, hint)
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    core.diagnose({ code: 'revocation_failed', expected: `the ${hint} revoked`, received: error.message })
    return false
  }
}

import { CountersignError } from '../errors/error.js'
import type { Client } from '../messages/client-information.js'
import { revoke } from '../steps/revoke.js'
import type { Target } from '../steps/target.js'
import { forgetClient } from './client.js'
import type { ConnectionCore } from './connection-core.js'
import { usable } from './current-token.js'
import { forgetLease, newLease, type Taken, takeLease } from './lease.js'
import { withSecret } from './secrets.js'
import { settleSurely } from './settle.js'

/**
 * Signs out: the tombstone first, so that nothing that is under way can bring the login back, then the revocations. It waits
 * for nobody's lease.
 *
 * @param alsoClient - drop the dynamic registration too
 */
export async function signOut(core: ConnectionCore, alsoClient: boolean): Promise<void> {
  const { held, signingIn, status, url, context, runtime } = core
  signingIn.cancel(new CountersignError('login_cancelled', { step: 'sign_out', url }))
  const lease = await newLease(runtime)
  try {
    // From what is known, not from what is stored: the newest refresh token may be in memory alone.
    let seen = await held.read()
    while ((await held.apply(seen, { type: 'signed_out', lease })) === undefined) seen = await held.read()
    const before = seen.grant
    runtime.prepared = undefined
    core.challenge = undefined
    core.emit('signed_out', 'info')
    status.set({ personNeeded: false, failure: undefined })
    const granted = before.phase === 'absent' ? undefined : before.granted
    await revokeUnder(core, lease.id, async () => {
      if (granted?.client === undefined) return
      const { target, client, tokens } = granted
      // Where nothing can be revoked, once is enough to say it.
      const said = target.revocation_endpoint === undefined && tokens.refresh_token !== undefined
      if (said || !usable(tokens, context.clock.now())) return
      await revokeOne(core, target, client, tokens.access_token, 'access_token')
    })
    if (alsoClient && granted?.client !== undefined) {
      await forgetClient(runtime, granted.target.issuer, granted.client.client_id)
    }
  } finally {
    forgetLease(runtime, lease.id)
  }
}

/** Revokes what came too late for a tombstone, unless somebody is revoking there already, who then does it. */
export async function revokeReplaced(core: ConnectionCore): Promise<void> {
  const { held, runtime } = core
  let taken: Taken | undefined
  while (taken === undefined) {
    if (held.known?.phase !== 'absent' || held.known.replaced === undefined) return
    const seen = await held.read()
    if (seen.grant.lease !== undefined) return
    if (seen.grant.phase === 'absent' && seen.grant.replaced !== undefined) taken = await takeLease(core, seen)
  }
  try {
    await revokeUnder(core, taken.id)
  } finally {
    forgetLease(runtime, taken.id)
  }
}

/** Revokes every refresh token that a tombstone names, those that come meanwhile too, and then gives its lease back. */
async function revokeUnder(core: ConnectionCore, id: string, also?: () => Promise<void>): Promise<void> {
  const tried: string[] = []
  for (let now = core.held.known; now?.phase === 'absent' && now.lease?.id === id; now = core.held.known) {
    const left = (now.replaced ?? []).filter(({ refresh_token }) => !tried.includes(refresh_token))
    const gone = await Promise.all(
      left.map(async ({ refresh_token, target, client }) => {
        tried.push(refresh_token)
        const revoked = client && (await revokeOne(core, target, client, refresh_token, 'refresh_token'))
        return revoked ? [refresh_token] : []
      }),
    )
    if (left.length === tried.length) await also?.()
    await settleSurely(core, { type: 'revoked', id, refresh_tokens: gone.flat(), tried })
  }
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

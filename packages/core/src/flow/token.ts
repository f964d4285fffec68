import { defined } from '../primitives/defined.js'
import type { Connection } from './connection.js'
import type { ConnectionCore } from './connection-core.js'
import { renewable, tokensOf, usable } from './current-token.js'

/** The current access token, as `Connection.token` says. */
export async function token(
  core: ConnectionCore,
  { refresh = false, signal }: NonNullable<Parameters<Connection['token']>[0]>,
): ReturnType<Connection['token']> {
  core.open()
  if (core.instead) return { accessToken: await core.instead.token(core), tokenType: 'Bearer' }
  const before = await core.renewing.current(signal)
  const first = before === undefined && core.acquires !== undefined && core.renewable
  const hadRefreshToken = renewable(core.held.known)
  if ((first || (refresh && before !== undefined)) && !(await core.renewing.renew(signal))) {
    // What is left of the access token must not make authorize() think that all is well; without a refresh token it is.
    if (hadRefreshToken) core.status.set({ personNeeded: !core.signedOut })
    throw core.interactionRequired('login_ended')
  }
  const tokens = first || refresh ? tokensOf(core.held.known) : before
  if (tokens === undefined) throw core.interactionRequired('no_login')
  if (tokens.token_type === 'DPoP' && core.switchedOff) throw core.interactionRequired('login_ended')
  if (
    !usable(tokens, core.runtime.clock.now()) &&
    tokens.expires_at !== undefined &&
    tokens.expires_at > tokens.issued_at
  ) {
    throw core.interactionRequired('login_ended')
  }
  const { access_token: accessToken, token_type: tokenType, expires_at: expiresAt } = tokens
  return defined({ accessToken, tokenType, expiresAt, scope: tokens.scope })
}

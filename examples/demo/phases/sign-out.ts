import { CountersignError } from '@countersign/node'
import { loginsOpened, type Scene } from '../scene.js'
import type { SignedIn } from './sign-in.js'

/** The tokens are forgotten and revoked, and nothing signs in again by itself. */
export async function signOut(scene: Scene, { session }: SignedIn): Promise<void> {
  const { checks, connection, store, traffic } = scene
  scene.phase('Sign-out: the tokens are forgotten and revoked, and nothing signs in again by itself')
  const held = await store.grant()
  const before = traffic.exchanges.length

  await connection.signOut()

  const revocations = traffic.since(before).map(({ step, status }) => `${step} ${status}`)
  const [refused] = traffic.deviations

  const again = await traffic.probe('refresh again', held.tokenEndpoint ?? '', {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: held.refreshToken ?? '',
      client_id: held.clientId ?? '',
      resource: held.resource ?? '',
    }),
  })
  const { error } = (await again.json()) as { error?: string }
  const rejection = await session.callTool('whoami').then(() => undefined, asCountersignError)
  scene.say('rejected', rejection?.message ?? 'nothing')

  checks.equal('the refresh token is revoked, then the access token', revocations, ['revoke 200', 'revoke 400'])
  checks.equal('a JWT lives on until it expires, and a diagnostic says so', refused?.code, 'access_token_not_revoked')
  const left = await store.grant()
  checks.equal('what the store holds', [left.phase, left.refreshToken ?? 'no token'], ['absent', 'no token'])
  checks.equal('the revoked refresh token, presented again', error, 'invalid_grant')
  const last = traffic.exchanges.at(-1)
  checks.equal('the next request', [last?.authorization, last?.status], ['bare', 401])
  checks.equal('what the caller gets', rejection?.code, 'interaction_required')
  checks.equal('logins opened', loginsOpened(scene) - 1, 0)
  checks.equal('the connection is', connection.getSnapshot().status, 'signed_out')
}

/** The error reaches the caller of the MCP client as itself. */
function asCountersignError(error: unknown): CountersignError {
  if (CountersignError.is(error)) return error
  throw error
}

import { setTimeout as delay } from 'node:timers/promises'
import { countOf, loginsOpened, type Scene } from '../scene.js'
import { fingerprint } from '../watched-store.js'
import type { SignedIn } from './sign-in.js'

const CALLS = 5

/** The access token expires, and five calls at once want another: one refresh, with a token that rotates. */
export async function refresh(scene: Scene, { session, accessToken, identity }: SignedIn): Promise<void> {
  const { checks, connection, store, traffic } = scene
  scene.phase(`Refresh: the access token expires, and ${CALLS} calls come at once`)
  const { refreshToken: old = '' } = await store.grant()
  const waitMs = Math.max(0, (connection.getSnapshot().expiresAt ?? 0) - Date.now())
  scene.say('wait', `${(waitMs / 1000).toFixed(1)} s, until the access token has expired`)
  await delay(waitMs + 50)

  // Past the connector, which would renew it first.
  const probe = await traffic.probe('the old token', connection.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
    body: '{}',
  })
  await probe.body?.cancel()
  const before = traffic.exchanges.length

  const answers = await Promise.all(Array.from({ length: CALLS }, () => session.callTool('whoami')))

  checks.equal('the expired token by itself', probe.status, 401)
  const sent = traffic.since(before)
  checks.equal(`refresh requests for ${CALLS} calls`, countOf(sent, 'refresh'), 1)
  checks.equal('the results', answers, Array(CALLS).fill(identity))
  const refused = sent.filter(({ status }) => status !== 200)
  checks.equal('requests refused on the way', refused.length, 0)
  checks.equal('logins opened', loginsOpened(scene) - 1, 0)

  const { refreshToken: fresh = '' } = await store.grant()
  const [was, is] = [fingerprint(old), fingerprint(fresh)]
  const rotated = old !== '' && fresh !== '' && fresh !== old
  checks.holds('refresh token rotated', rotated, `yes (SHA-256 ${was}..., now ${is}...)`, 'another refresh token')
}

import type { Session } from '../client.js'
import { patiently } from '../patiently.js'
import { loginsOpened, type Scene, streamOpened } from '../scene.js'

/** What signing in leaves for the later phases. */
export interface SignedIn {
  readonly session: Session
  /** The first access token. Not for printing. */
  readonly accessToken: string
  /** What `whoami` must answer. */
  readonly identity: string
}

/** Nothing is stored: the server's challenge leads to a login, and the request that began it is answered. */
export async function signIn(scene: Scene): Promise<SignedIn> {
  const { checks, connection, stage, traffic, visitor } = scene
  scene.phase('Sign-in: nothing is stored, so the server challenges and a person is asked')
  visitor.announce()

  const session = await patiently(connection, scene.say, () => scene.connect())
  await streamOpened(scene)
  await visitor.arrived()

  const [first] = traffic.exchanges
  checks.equal(
    'the first request went without a token, and was challenged',
    [first?.step, first?.authorization, first?.status],
    ['initialize', 'bare', 401],
  )
  const steps = traffic.exchanges.filter(({ by }) => by === 'connector').map(({ step }) => step)
  const once = steps.filter((step, at) => step !== 'poll' || steps[at - 1] !== 'poll')
  checks.equal('the connector sent', once, visitor.steps)
  checks.equal('logins opened', loginsOpened(scene), 1)
  checks.equal('the connection is', connection.getSnapshot().status, 'signed_in')
  checks.equal('the client is connected to', session.server, stage.server)

  const { accessToken, scope = '' } = await connection.token()
  const { aud, iss, sub } = claimsOf(accessToken)
  checks.equal('the token is for this server alone (aud)', aud, connection.url)
  checks.equal('it comes from the issuer that the server names (iss)', iss, stage.issuer)
  checks.equal('its scope is what the challenge asked for', scope, stage.scope)
  const expected = visitor.name ?? 'somebody'
  checks.holds('its subject is the person who signed in (sub)', sub === (visitor.name ?? sub), sub, expected)
  return { session, accessToken, identity: `${sub} (${scope})` }
}

/** The claims of a JWT, not verified: the MCP server does that. */
function claimsOf(jwt: string): { readonly aud?: string; readonly iss?: string; readonly sub?: string } {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'))
}

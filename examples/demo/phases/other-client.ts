import { loginsOpened, type Scene, streamOpened } from '../scene.js'
import type { SignedIn } from './sign-in.js'

/** The grant is the connection's, not the client's: another SDK's client finds the login there. */
export async function otherClient(scene: Scene, { identity }: SignedIn): Promise<void> {
  const { checks, stage, traffic } = scene
  scene.phase('Another client: @modelcontextprotocol/client 2.x, and the login is already there')
  const before = traffic.exchanges.length

  const session = await scene.connect2()
  await streamOpened(scene, before)
  const answer = await session.callTool('whoami')

  checks.equal('the client 2.x is connected to', session.server, stage.server)
  checks.equal('the result of its whoami', answer, identity)
  const sent = traffic.since(before)
  checks.equal(
    'its requests',
    sent.map(({ step, authorization, status }) => `${step} ${authorization} ${status}`),
    ['initialize token 200', 'initialized token 202', 'stream token 200', 'tools/call whoami token 200'],
  )
  checks.equal('OAuth requests', sent.filter(({ by }) => by === 'connector').length, 0)
  checks.equal('logins opened', loginsOpened(scene) - 1, 0)
}

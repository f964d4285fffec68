import type { Scene } from '../scene.js'
import type { SignedIn } from './sign-in.js'

/** With a valid token, a request costs one request. */
export async function callTool(scene: Scene, { session, identity }: SignedIn): Promise<void> {
  const { checks, traffic } = scene
  scene.phase('Tool call: the token is good, so a call costs one request')
  const before = traffic.exchanges.length

  const tools = await session.listTools()
  const answer = await session.callTool('whoami')

  checks.equal('the tools', tools, ['list_notes', 'add_note', 'whoami'])
  checks.equal('the result of whoami', answer, identity)
  const sent = traffic.since(before)
  checks.equal(
    'the requests',
    sent.map(({ step, authorization, status }) => `${step} ${authorization} ${status}`),
    ['tools/list token 200', 'tools/call whoami token 200'],
  )
}

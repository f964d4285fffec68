import type { Presentation } from '@countersign/core'
import { afterEach, describe, expect, it } from 'vitest'
import { defaultUserAgent } from '../../../packages/node/src/default-user-agent.js'
import type { Surroundings } from '../../../packages/node/src/headless/surroundings.js'
import { BOTH, begin, DEVICE_ONLY, devicePage, REDIRECT_ONLY, refusal, terminal, URL_OF_SERVER } from './begin.js'

const begun: Presentation[] = []
afterEach(() => Promise.all(begun.splice(0).map((login) => login.end({ ok: true }))))

const desktop: Surroundings = {
  platform: 'linux',
  env: { DISPLAY: ':0' },
  wsl: false,
  container: false,
  terminal: { reads: true, types: true },
}
const overSsh = { ...desktop, env: { SSH_TTY: '/dev/pts/1' } }
const agentIn = (around: Surroundings) => defaultUserAgent(() => around)
function loginIn(around: Surroundings): Presentation {
  const login = begin(agentIn(around))
  begun.push(login)
  return login
}

describe('the user agent that Node has by default', () => {
  it('opens a browser where one can, at a port of this machine', async () => {
    expect(agentIn(desktop).onDemand).toBe(true)
    expect(await loginIn(desktop).way(BOTH)).toMatchObject({ kind: 'redirect' })
  })

  it('shows a code there too, for a server that has no other way', async () => {
    expect(await loginIn(desktop).way(DEVICE_ONLY)).toMatchObject({ kind: 'device' })
    const unseen = { ...desktop, terminal: { reads: false, types: false } }
    expect(await loginIn(unseen).way(DEVICE_ONLY)).toBeUndefined()
  })

  it('over SSH it shows a code where the server has that, and says why in one line', async () => {
    using screen = terminal()
    const login = loginIn(overSsh)
    expect(await login.way(BOTH)).toMatchObject({ kind: 'device' })
    await login.present(devicePage())
    expect(screen.text.split('\n')[0]).toBe('No browser opens in an SSH session: sign in with one elsewhere.')
    expect(screen.text).toContain('WDJB-MJHT')
    await login.end({ ok: true })
    begun.pop()
  })

  it('else it asks for the address', async () => {
    using _screen = terminal()
    expect(await loginIn(overSsh).way(REDIRECT_ONLY)).toMatchObject({ kind: 'redirect' })
  })

  it('else it says what to do: nothing is waited for', async () => {
    using _screen = terminal({ types: false })
    const login = loginIn({ ...overSsh, terminal: { reads: true, types: false } })
    expect(await refusal(login.way(REDIRECT_ONLY))).toMatchObject({
      code: 'user_agent_unsuitable',
      received: 'an SSH session, and no input to paste into',
    })
  })

  it.each<[string, Partial<Surroundings>, string]>([
    ['CI', { env: { CI: 'true', DISPLAY: ':0' } }, 'CI'],
    ['a service of a server', { env: {}, terminal: { reads: false, types: false } }, 'a machine without a display'],
    [
      'a container without a terminal',
      { env: {}, container: true, terminal: { reads: false, types: false } },
      'a container without a display',
    ],
  ])('%s: it says what to configure, and asks nobody', async (_name, more, received) => {
    using screen = terminal()
    expect(await refusal(loginIn({ ...desktop, ...more }).way(BOTH))).toMatchObject({
      code: 'user_agent_unsuitable',
      step: 'present',
      url: URL_OF_SERVER.split('?')[0],
      received,
      action: 'fix_configuration',
      hint: expect.stringMatching(/deviceCode\(\{ show \}\), paste\(\{ ask \}\) or loopback\(\{ onUrl \}\)/),
    })
    expect(screen.text).toBe('')
  })
})

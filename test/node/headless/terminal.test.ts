import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { person, startAuthorizationServer, startMcpServer } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { soon } from '../../support/soon.js'
import { runFixture } from '../child.js'
import { freePort, pause } from '../support.js'

const open = closing()
const started: ChildProcessWithoutNullStreams[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

/** An environment of an SSH session, whatever that of the tests is. */
function overSsh(): NodeJS.ProcessEnv {
  const { BROWSER: _, CI: __, ...env } = process.env
  return { ...env, SSH_TTY: '/dev/pts/1' }
}

async function server(devices: boolean): Promise<string> {
  const authorizationServer = open(await startAuthorizationServer({ devices }))
  return open(await startMcpServer({ authorizationServer, challengeScope: 'notes:read' })).url
}

/** The fixture at a real terminal, which `script` makes. */
function atTerminal(url: string) {
  const fixture = fileURLToPath(new URL('../fixtures/default-agent.ts', import.meta.url))
  const command = `'${process.execPath}' --import tsx '${fixture}' '${url}'`
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: overSsh(), stdio: 'pipe' })
  started.push(child)
  let shown = ''
  child.stdout.on('data', (chunk) => {
    // A terminal breaks lines, and moves the cursor for the one that is typed.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is taken out
    shown += String(chunk).replace(/\r|\u001b\[[\d;?]*[A-Za-z]/g, '')
  })
  return {
    shown: () => shown,
    paste: (text: string) => child.stdin.write(text),
    type: (line: string) => child.stdin.write(`${line}\r`),
    ended: once(child, 'exit'),
  }
}

describe.skipIf(process.platform !== 'linux')('a terminal over SSH', () => {
  it('gets a code where the server has the device grant', { timeout: 30_000 }, async () => {
    const terminal = atTerminal(await server(true))
    await soon(terminal.shown).toMatch(/ within \d+ min:\n\S+\n/)
    expect(terminal.shown()).toContain('No browser opens in an SSH session: sign in with one elsewhere.\n')
    const [, code = '', page = ''] = /the code (\S+) within \d+ min:\n(\S+)\n/.exec(terminal.shown()) ?? []
    await person().enterCode(page, code)
    await soon(terminal.shown).toContain('Signed in.\n')
    await soon(terminal.shown).toContain('ended: signed_in')
    expect(terminal.shown()).toMatch(/█▀+/)
    await terminal.ended
  })

  it('is asked for the address elsewhere: a bare code is refused, the whole address is taken', {
    timeout: 30_000,
  }, async () => {
    const terminal = atTerminal(await server(false))
    await soon(terminal.shown).toContain('Paste that address here: ')
    const [authorizationUrl = ''] = /http\S+\/auth\?\S+/.exec(terminal.shown()) ?? []
    const callback = await person().authorizationResponse(authorizationUrl)
    terminal.type(new URL(callback).searchParams.get('code') ?? '')
    await soon(terminal.shown).toContain('a code alone is not enough')
    terminal.type(callback)
    await soon(terminal.shown).toContain('ended: signed_in')
    await terminal.ended
  })

  it('takes an address that a chat window has broken into lines', { timeout: 30_000 }, async () => {
    const terminal = atTerminal(await server(false))
    await soon(terminal.shown).toContain('Paste that address here: ')
    const [authorizationUrl = ''] = /http\S+\/auth\?\S+/.exec(terminal.shown()) ?? []
    const callback = await person().authorizationResponse(authorizationUrl)
    const [first, second, third] = [callback.slice(0, 40), callback.slice(40, 80), callback.slice(80)]
    terminal.paste(`${first}\r${second}\r${third}`)
    // The last line has no end until the person gives it one.
    await pause(200)
    terminal.type('')
    await soon(terminal.shown).toContain('ended: signed_in')
    expect(terminal.shown()).not.toContain('answers another sign-in')
    await terminal.ended
  })
})

describe('no terminal over SSH', () => {
  it('ends at once, and says what to configure', async () => {
    const { printed, code, lingeredMs } = await runFixture('default-agent', [await server(true)], overSsh())
    expect(printed).toMatch(
      /^ended: present: user agent unsuitable .*Received an SSH session\. .*deviceCode\(\{ show \}\)/,
    )
    expect(code).toBe(0)
    expect(lingeredMs).toBeLessThan(2_000)
  })

  it('what is wrong with the server is said first', async () => {
    const { printed } = await runFixture('default-agent', [`http://127.0.0.1:${await freePort()}/mcp`], overSsh())
    expect(printed).toMatch(/^ended: discover: network error/)
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { directories } from '../../node/store/support.js'
import { type AuthorizationServer, person, startAuthorizationServer, startMcpServer } from '../../servers/index.js'
import { bundled } from '../../support/bundled.js'
import { closing } from '../../support/closing.js'
import { soon } from '../../support/soon.js'

const open = closing()
const newDirectory = directories()
const program = bundled(new URL('fixtures/poller.ts', import.meta.url))
const running: ChildProcess[] = []
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

interface Said {
  readonly userCode?: string
  readonly verificationUri?: string
  readonly event?: string
  readonly ended?: string
}

async function machine() {
  const authorizationServer = open(await startAuthorizationServer({ devices: true }))
  const mcp = open(await startMcpServer({ authorizationServer }))
  const directory = await newDirectory()
  const start = () => {
    const child = spawn(process.execPath, [program, directory, mcp.url], { stdio: ['ignore', 'pipe', 'inherit'] })
    running.push(child)
    const said: Said[] = []
    createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)))
    return {
      said,
      codes: () => said.flatMap(({ userCode }) => userCode ?? []),
      events: () => said.flatMap(({ event }) => event ?? []),
      ended: () => said.flatMap(({ ended }) => ended ?? []),
      kill: async () => {
        child.kill('SIGKILL')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      },
    }
  }
  return { authorizationServer, start }
}

const polls = ({ requests }: AuthorizationServer): number =>
  requests.filter(({ path, grant_type }) => path === '/token' && grant_type?.endsWith(':device_code')).length
const asked = ({ requests }: AuthorizationServer): number =>
  requests.filter(({ path }) => path === '/device/auth').length

async function enter(said: readonly Said[]): Promise<void> {
  const { verificationUri = '', userCode = '' } = said.find((line) => line.userCode !== undefined) ?? {}
  expect((await person().enterCode(verificationUri, userCode)).body).toContain('Sign-in Success')
}

describe('real processes, and a poller that is killed', () => {
  it('the next one that starts shows the same code, and gets the tokens', { timeout: 40_000 }, async () => {
    const { authorizationServer, start } = await machine()
    const one = start()
    await soon(() => one.codes().length).toBe(1)
    await soon(() => polls(authorizationServer)).toBe(1)
    await one.kill()

    const two = start()
    await soon(() => two.codes()).toEqual(one.codes())
    await enter(two.said)
    await soon(() => two.ended()).toEqual(['signed_in'])
    expect(two.events()).toContain('login_resumed')
    expect(asked(authorizationServer)).toBe(1)
    expect(authorizationServer.errors).toEqual([])
  })

  it('of two that need the login one polls; when it is killed the other goes on', { timeout: 40_000 }, async () => {
    const { authorizationServer, start } = await machine()
    const both = [start(), start()]
    await soon(() => both.flatMap(({ codes }) => codes())).toHaveLength(1)
    const [leader, follower] = both[0]?.codes().length === 1 ? both : both.reverse()
    if (leader === undefined || follower === undefined) return expect.unreachable('there are two')
    await soon(() => follower.events()).toContain('login_followed')
    await soon(() => polls(authorizationServer)).toBe(1)
    await leader.kill()
    await soon(() => follower.codes()).toEqual(leader.codes())
    await enter(follower.said)
    await soon(() => follower.ended()).toEqual(['signed_in'])
    expect(asked(authorizationServer)).toBe(1)
  })
})

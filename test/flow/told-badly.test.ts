import { setImmediate as turn } from 'node:timers/promises'
import { type ConnectorOptions, createConnector } from '@countersign/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { ping } from '../support/mcp-client.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
const unhandled: unknown[] = []
const note = (reason: unknown): void => {
  unhandled.push(reason)
}
beforeEach(async () => {
  server = open(await scriptedAuthorization())
  unhandled.length = 0
  process.on('unhandledRejection', note)
})
afterEach(() => {
  process.off('unhandledRejection', note)
})

const connect = (options: ConnectorOptions = {}) =>
  open(createConnector({ userAgent: scriptedAgent(), ...options })).connect(server.url)

/** The ways in which what a host is told with can fail. */
const failures: readonly (readonly [string, () => unknown])[] = [
  [
    'throws',
    () => {
      throw new Error('a defect of the host')
    },
  ],
  ['rejects', () => Promise.reject(new Error('log sink down'))],
  ['never ends', () => new Promise(() => undefined)],
  ['throws nothing that is an error', () => Promise.reject(undefined)],
]

describe('a user agent that throws as it begins', () => {
  it('ends the call with a typed error, its own the cause, and the next call begins anew', async () => {
    const agent = scriptedAgent()
    const cause = new Error('no window')
    let broken = true
    const userAgent = {
      onDemand: true,
      begin: (request: Parameters<typeof agent.begin>[0]) => {
        if (broken) throw cause
        return agent.begin(request)
      },
    }
    const connection = connect({ userAgent })
    await expect(connection.authorize()).rejects.toMatchObject({ code: 'unexpected', step: 'present', cause })
    broken = false
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
  })
})

describe('what a host is told with fails: the login, the refresh and the sign-out go on, and no rejection is left', () => {
  it.each(failures)('a log that %s', async (_name, fail) => {
    await everything(connect({ log: fail as () => void }))
  })

  it.each(failures)('a listener of the snapshot that %s', async (_name, fail) => {
    const connection = connect()
    connection.subscribe(fail as () => void)
    let told = 0
    connection.subscribe(() => told++)
    await everything(connection)
    expect(told).toBeGreaterThan(3)
  })

  async function everything(connection: ReturnType<typeof connect>): Promise<void> {
    expect((await ping(connection)).status).toBe(200)
    await connection.token({ refresh: true })
    await connection.signOut()
    await turn()
    expect(server.requests.filter(({ path }) => path === '/token')).toHaveLength(2)
    expect(connection.getSnapshot().status).toBe('signed_out')
    expect(unhandled).toEqual([])
  }
})

describe('one function that listens twice', () => {
  it('stops listening once for each subscription', async () => {
    const connection = connect()
    let told = 0
    const listener = (): void => {
      told++
    }
    const [one, two] = [connection.subscribe(listener), connection.subscribe(listener)]
    await connection.authorize()
    const twice = told
    one()
    one()
    await connection.signOut()
    expect(told - twice).toBeGreaterThan(0)
    expect(twice).toBeGreaterThan(told - twice)
    const before = told
    two()
    await connection.authorize()
    expect(told).toBe(before)
  })
})

describe('a token for the registration that no header can carry', () => {
  const canary = 'CANARY-initial-access-token'

  it.each([
    ['a NUL', `${canary}\u0000`],
    ['a line break', `${canary}\r\nx-injected: 1`],
    ['a character beyond Latin-1', `${canary}\u2028`],
    ['a line break, from a supplier', async () => `${canary}\n${canary}`],
  ])('%s: the login fails, and nobody is shown the token', async (_name, initialAccessToken) => {
    const seen = collector()
    const connection = connect({ log: seen.log, compatibility: { initialAccessToken } })
    const error = await connection.authorize().catch((thrown) => thrown)
    expect(error.step).toBe('register')
    const shown = [error.message, JSON.stringify(error), error.stack, ...causes(error)].join('\n')
    expect(shown + JSON.stringify(seen.events)).not.toContain('CANARY')
    expect(server.requests.some(({ path }) => path === '/register')).toBe(false)
  })

  /** Everything that somebody prints who prints an error with its causes. */
  function causes(error: unknown): string[] {
    if (!(error instanceof Error)) return []
    return [String(error), String(error.stack), ...causes(error.cause)]
  }
})

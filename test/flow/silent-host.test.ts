import { type Connection, type ConnectorOptions, createConnector, type Presentation } from '@countersign/core'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { ping } from '../support/mcp-client.js'
import { refreshing } from '../support/refreshing.js'
import { simulatedClock } from '../support/simulated-clock.js'
import { soon } from '../support/soon.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

const silence = (): Promise<never> => new Promise(() => undefined)

/** A connection whose user agent does not answer some questions. */
function connect(silent: Partial<Presentation>, options: ConnectorOptions = {}) {
  const clock = simulatedClock()
  const seen = collector()
  const agent = scriptedAgent()
  let signal: AbortSignal | undefined
  const asked: string[] = []
  const begin: typeof agent.begin = (request) => {
    signal = request.signal
    const presentation = agent.begin(request)
    const ask = <A, R>(name: string, answer: (given: A) => R) => {
      return (given: A): R => {
        asked.push(name)
        return answer(given)
      }
    }
    return {
      way: ask('way', silent.way ?? presentation.way),
      present: ask('present', silent.present ?? presentation.present),
      end: ask('end', silent.end ?? presentation.end),
    }
  }
  const userAgent = { onDemand: true, begin }
  const connector = createConnector({ userAgent, clock, log: seen.log, loginTimeoutMs: 60_000, ...options })
  const connection = connector.connect(server.url)
  /** Until it was asked once more. */
  const until = async (name: string): Promise<void> => {
    await soon(() => asked).toContain(name)
    asked.length = 0
  }
  return { clock, seen, connector, connection, until, aborted: () => signal?.aborted }
}

describe('a user agent that never answers', () => {
  const questions = ['way', 'present'] as const

  it.each(questions)('%s: the login ends with its time limit, and the next one begins anew', async (question) => {
    const { connection, connector, clock, until, seen } = connect({ [question]: silence })
    for (let login = 1; login <= 2; login++) {
      const timeout = expect(connection.authorize()).rejects.toMatchObject({
        code: 'login_timeout',
        step: 'present',
        url: server.url,
      })
      await until(question)
      await clock.asleep(60_000)
      await clock.advance(60_000)
      await timeout
      expect(connection.getSnapshot()).toMatchObject({ status: 'failed', error: { code: 'login_timeout' } })
    }
    expect(seen.types.filter((type) => type === 'login_started')).toHaveLength(2)
    await connector.close()
    expect(clock.sleeping).toEqual([])
  })

  it.each(questions)('%s: a request waits for a person no longer than it does for any', async (question) => {
    const { connection, connector, clock, until } = connect({ [question]: silence })
    const pending = expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_pending' })
    await until(question)
    await clock.advance(45_000)
    await pending
    expect(connection.getSnapshot().status).toBe('signing_in')
    await connector.close()
  })

  const cancels: readonly (readonly [string, string, (end: ReturnType<typeof connect>) => Promise<void>])[] = [
    ['signOut()', 'login_cancelled', ({ connection }) => connection.signOut()],
    ['close()', 'connector_closed', ({ connector }) => connector.close()],
  ]
  it.each(questions.flatMap((question) => cancels.map((cancel) => [question, ...cancel] as const)))(
    '%s: %s ends the login at once (%s), and resolves',
    async (question, _call, code, cancel) => {
      const end = connect({ [question]: silence })
      const ended = expect(end.connection.authorize()).rejects.toMatchObject({ code })
      await end.until(question)
      await cancel(end)
      await ended
      expect(end.aborted()).toBe(true)
      expect(end.clock.sleeping).toEqual([])
      await end.connector.close()
    },
  )

  it.each(questions)('%s: who asked for the login can give it up', async (question) => {
    const { connection, connector, until } = connect({ [question]: silence })
    const enough = new AbortController()
    const asked = expect(connection.authorize({ signal: enough.signal })).rejects.toMatchObject({
      code: 'request_aborted',
    })
    await until(question)
    enough.abort()
    await asked
    await soon(() => connection.getSnapshot()).toMatchObject({ status: 'failed', error: { code: 'login_cancelled' } })
    await connector.close()
  })

  it('end: the login stands, five seconds later, and a diagnostic says that the page is still there', async () => {
    const { connection, connector, clock, seen } = connect({ end: silence })
    const asked = connection.authorize()
    await clock.asleep(5_000)
    expect(connection.getSnapshot().status).toBe('signed_in')
    await clock.advance(5_000)
    expect(await asked).toMatchObject({ status: 'signed_in' })
    expect(seen.diagnostics).toMatchObject([{ code: 'user_agent_end_failed' }])
    await connector.close()
  })

  it('end: close() does not wait for longer either', async () => {
    const { connection, connector, clock, until } = connect({ present: silence, end: silence })
    const ended = expect(connection.authorize()).rejects.toMatchObject({ code: 'connector_closed' })
    await until('present')
    const closed = connector.close()
    await clock.asleep(5_000)
    await clock.advance(5_000)
    await Promise.all([closed, ended])
    expect(clock.sleeping).toEqual([])
  })
})

describe('a supplier of a secret that never answers', () => {
  const world = refreshing()
  const said = {
    code: 'options_invalid',
    step: 'authenticate',
    expected: 'a secret from its supplier',
    received: 'nothing within 30000 ms',
  }
  const confidential = (): void => {
    server.routes.serverMetadata = (_request, usual) => ({
      json: { ...Object(usual().json), token_endpoint_auth_methods_supported: ['client_secret_post'] },
    })
  }

  it("the client's, in a login", async () => {
    confidential()
    const clientSecret = vi.fn(silence)
    const registered = { issuer: server.issuer, clientId: 'by hand', clientSecret }
    const { connection, connector, clock } = connect({}, { client: { registered } })
    const failed = expect(connection.authorize()).rejects.toMatchObject(said)
    await soon(() => clientSecret).toHaveBeenCalled()
    await passed(clock, () => connection.getSnapshot().status === 'failed')
    await failed
    await connector.close()
  })

  it('the token for the registration', async () => {
    const initialAccessToken = vi.fn(silence)
    const { connection, connector, clock } = connect({}, { compatibility: { initialAccessToken } })
    const failed = expect(connection.authorize()).rejects.toMatchObject(said)
    await soon(() => initialAccessToken).toHaveBeenCalled()
    await passed(clock, () => connection.getSnapshot().status === 'failed')
    await failed
    await connector.close()
  })

  it("the client's, in a refresh: nothing is sent, nothing is held, and the connector closes", async () => {
    const login = await world.login({
      seed: { client: { origin: 'registered', token_endpoint_auth_method: 'client_secret_post' } },
      client: { registered: { issuer: world.server.issuer, clientId: 'seeded', clientSecret: silence } },
    })
    const failed = expect(login.connection.token({ refresh: true })).rejects.toMatchObject(said)
    await login.clock.asleep(30_000)
    await login.clock.advance(30_000)
    await failed
    expect(login.spent).toEqual([])
    expect(await login.record()).not.toHaveProperty('lease')

    const again = login.connection.token({ refresh: true }).catch((error) => error.code)
    await login.clock.asleep(30_000)
    const closed = login.connector.close()
    await login.clock.advance(30_000)
    await closed
    expect(await again).toBe('options_invalid')
  })

  it("the client's, in a sign-out: the person is signed out all the same", async () => {
    const login = await world.login({
      seed: { client: { origin: 'registered', token_endpoint_auth_method: 'client_secret_post' } },
      client: { registered: { issuer: world.server.issuer, clientId: 'seeded', clientSecret: silence } },
    })
    const out = login.connection.signOut()
    await passed(login.clock, () => login.seen.diagnostics.length === 2)
    await out
    expect(signedOut(login.connection)).toBe(true)
    expect(login.seen.diagnostics.map(({ code }) => code)).toEqual(['revocation_failed', 'revocation_failed'])
  })

  const signedOut = (connection: Connection): boolean => connection.getSnapshot().status === 'signed_out'

  /** Time passes, a deadline at once, until something is so: network answers come when they come. */
  async function passed(clock: ReturnType<typeof simulatedClock>, so: () => boolean): Promise<void> {
    for (let time = 0; time < 5 && !so(); time++) {
      await soon(() => so() || clock.sleeping.includes(30_000)).toBe(true)
      await clock.advance(30_000)
    }
  }
})

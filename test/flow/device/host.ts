import { type ConnectorOptions, createConnector, memoryStore } from '@countersign/core'
import type { Answer, ScriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { collector } from '../../support/collector.js'
import { type DevicePage, deviceAgent } from '../../support/device-agent.js'
import { type SimulatedClock, simulatedClock } from '../../support/simulated-clock.js'
import { soon } from '../../support/soon.js'

/** What is answered to the polls, one after the other; then the usual. */
export const answers = (server: ScriptedAuthorization, ...list: readonly (Answer | 'usual')[]): void => {
  const left = [...list]
  server.routes.token = (_request, usual) => {
    const next = left.shift() ?? 'usual'
    return next === 'usual' ? usual() : next
  }
}

/** An OAuth error, with the status that is usual for it. */
export const refused = (error: string, status = 400): Answer => ({ status, json: { error } })

export const pollsOf = ({ requests }: ScriptedAuthorization) => requests.filter(({ path }) => path === '/token')

/** A host that shows codes, on a clock that the test moves. Its connectors are closed with the test. */
export function deviceHosts(server: () => ScriptedAuthorization) {
  const open = closing()
  return (options: ConnectorOptions & { readonly clock?: SimulatedClock } = {}) => {
    const { clock = simulatedClock(), userAgent = deviceAgent() } = options
    const agent = userAgent as ReturnType<typeof deviceAgent>
    const store = options.store ?? memoryStore(() => clock.now())
    const log = collector()
    const connector = open(createConnector({ appId: 'test', log: log.log, ...options, clock, store, userAgent }))
    const connection = connector.connect(server().url)
    return {
      agent,
      clock,
      connector,
      connection,
      log,
      store,
      /** The code that is shown. */
      page: async (count = 1): Promise<DevicePage> => {
        await soon(() => agent.pages.length).toBe(count)
        return agent.pages[count - 1] as DevicePage
      },
      /** Waits until the next poll is exactly so far away, and lets so much time pass: it is sent. */
      poll: async (waitMs: number): Promise<void> => {
        const before = pollsOf(server()).length
        await soon(() => clock.sleeping).toContain(waitMs)
        await clock.advance(waitMs - 1)
        await clock.advance(1)
        await soon(() => pollsOf(server()).length).toBe(before + 1)
      },
    }
  }
}

/** What a call came to: the status, or the code of the error. */
export const outcome = (call: Promise<{ readonly status: unknown }>): Promise<unknown> =>
  call.then(
    ({ status }) => status,
    (error) => error.code,
  )

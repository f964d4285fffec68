import {
  type CountersignError,
  createConnector,
  loopback,
  memoryStore,
  type NodeConnectorOptions,
} from '@countersign/node'
import { expect } from 'vitest'
import type { ScriptedAuthorization, ScriptedOverride, ScriptedRoute } from '../servers/index.js'
import { collector } from './collector.js'
import { simulatedClock } from './simulated-clock.js'
import { soon } from './soon.js'
import { kindsIn } from './stored.js'
import { watched } from './watched-agent.js'

export type Routes = Partial<Record<ScriptedRoute, ScriptedOverride>>

/** What a failure must say; `/…` in `url` is a path at the server. */
export interface Said {
  readonly code: string
  readonly step: string
  readonly url?: string
  readonly expected?: unknown
  readonly received?: unknown
  /** A part of it: the setting that it names, or the way out. */
  readonly hint?: string
  readonly action?: string
  readonly oauth?: unknown
}

/** One row of a table: what the server does, and what is said about it. */
export interface Case {
  readonly name: string
  readonly routes: Routes | ((server: ScriptedAuthorization) => Routes)
  readonly said: Said | ((server: ScriptedAuthorization) => Said)
  /** The records that are left. Default: none. */
  readonly left?: readonly string[]
  readonly options?: Partial<NodeConnectorOptions>
  /** The path whose answer does not come: time passes once it was asked for. */
  readonly silentAt?: string
}

/** A browser that follows every redirect, to the page of the listener and no further. */
export const browser = async (url: string): Promise<void> => {
  await (await fetch(url)).text()
}

/** A connector with a real listener, and all that can be seen of it. */
export function connect(server: ScriptedAuthorization, options: Partial<NodeConnectorOptions> = {}) {
  const store = memoryStore(() => (options.clock ?? Date).now())
  const seen = collector()
  const agent = watched(loopback({ open: browser }))
  const connector = createConnector({ appId: 'test', store, userAgent: agent, log: seen.log, ...options })
  return { connector, connection: connector.connect(server.url), agent, seen, store }
}

/** One sign-in that fails as it must: said in full, nothing half-stored, nobody listening. */
export async function expectFailure(server: ScriptedAuthorization, row: Case): Promise<void> {
  Object.assign(server.routes, typeof row.routes === 'function' ? row.routes(server) : row.routes)
  const said = typeof row.said === 'function' ? row.said(server) : row.said
  const clock = simulatedClock()
  const end = connect(server, { ...(row.silentAt && { clock }), ...row.options })
  const failed: Promise<CountersignError> = end.connection.authorize().then(
    () => expect.unreachable('the login should have failed'),
    (thrown) => thrown,
  )
  if (row.silentAt) {
    await soon(() => server.requests.some(({ path }) => path === row.silentAt)).toBe(true)
    await clock.advance(30_000)
  }
  const error = await failed

  const { code, step, url, expected, received, hint, oauth } = error
  const where = url?.startsWith(server.origin) ? url.slice(server.origin.length) : url
  const { action, hint: named, ...words } = said
  expect({ code, step, url: where, expected, received, oauth }).toMatchObject(words)
  expect(expected ?? received, 'a failure without evidence').toBeDefined()
  expect(hint).toContain(named ?? '.')
  if (action !== undefined) expect(error.action).toBe(action)
  for (const part of [error.expected, error.received, error.hint, error.url])
    expect(error.message).toContain(part ?? '')

  expect(await kindsIn(end.store)).toEqual(row.left ?? [])
  expect(end.agent.ends).toEqual([{ ok: false, error }])
  expect(await end.agent.listening()).toEqual([])
  expect(end.connection.getSnapshot()).toMatchObject({ status: 'failed', error })
  expect(end.seen.types.at(-1)).toBe('login_failed')
  expect(server.errors).toEqual([])
}

import type { Page, Presentation, ServerWays } from '@countersign/core'
import { expect } from 'vitest'
import { type LoopbackOptions, loopback } from '../../../packages/node/src/loopback/user-agent.js'
import { ask, occupy } from '../support.js'

export const SERVER: ServerWays = { redirect: true, device: false }
export const AUTHORIZE = 'https://as.example/authorize?client_id=c&state=s1'
const begun: Presentation[] = []

/** Ends every login of the test, as core always does. */
export const endAll = async (): Promise<void> => {
  await Promise.all(begun.splice(0).map((one) => one.end({ ok: true })))
}

/** Begins a login with exactly these options. */
export function beginWith(options: LoopbackOptions, signal: AbortSignal = new AbortController().signal): Presentation {
  const url = 'https://mcp.example:8443/mcp?key=planted'
  const presentation = loopback(options).begin({ url, account: undefined, signal })
  begun.push(presentation)
  return presentation
}

/** Begins a login; unless told otherwise, with a browser that does nothing. */
export const begin = (options: LoopbackOptions = {}, signal?: AbortSignal): Presentation =>
  beginWith({ open: () => undefined, ...options }, signal)

export async function redirectOf(presentation: Presentation, server: ServerWays = SERVER): Promise<URL> {
  const way = await presentation.way(server)
  if (way?.kind !== 'redirect') expect.unreachable('a redirect was expected')
  return new URL((way as { redirectUri: string }).redirectUri)
}

export const page = (more: Partial<Extract<Page, { kind: 'redirect' }>> = {}): Page => ({
  kind: 'redirect',
  authorizationUrl: AUTHORIZE,
  state: 's1',
  resumed: false,
  ...more,
})

/** The browser comes back. */
export const comeBack = (redirect: URL, query = 'code=c1&state=s1'): ReturnType<typeof ask> =>
  ask({ port: Number(redirect.port), path: `${redirect.pathname}?${query}` })

export const isFree = (port: number): Promise<boolean> =>
  occupy('127.0.0.1', port).then(
    async (one) => {
      await one.release()
      return true
    },
    () => false,
  )

import type { Page, Presentation, ServerWays, UserAgent } from '@countersign/core'
import { expect, vi } from 'vitest'

export const URL_OF_SERVER = 'https://mcp.example:8443/mcp?key=planted'

/** Begins a login as core does. */
export const begin = (agent: UserAgent, signal: AbortSignal = new AbortController().signal): Presentation =>
  agent.begin({ url: URL_OF_SERVER, account: undefined, signal })

export const BOTH: ServerWays = { redirect: true, device: true }
export const REDIRECT_ONLY: ServerWays = { redirect: true, device: false }
export const DEVICE_ONLY: ServerWays = { redirect: false, device: true }

export const devicePage = (more: Partial<Extract<Page, { kind: 'device' }>> = {}): Page => ({
  kind: 'device',
  userCode: 'WDJB-MJHT',
  verificationUri: 'https://as.example/device',
  expiresAt: Date.now() + 600_000,
  ...more,
})

/** A terminal, or none, for the time of one test; what is printed on it is kept. */
export function terminal({ reads = true, types = true } = {}): { readonly text: string } & Disposable {
  const before = [process.stderr.isTTY, process.stdin.isTTY]
  let text = ''
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk)
    return true
  })
  const set = ([out, input]: readonly (boolean | undefined)[]): void => {
    Object.assign(process.stderr, { isTTY: out })
    Object.assign(process.stdin, { isTTY: input })
  }
  set([reads, types])
  return {
    get text() {
      return text
    },
    [Symbol.dispose]: () => {
      write.mockRestore()
      set(before)
    },
  }
}

/** What a call is refused with. */
export const refusal = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable('it should have been refused'),
    (error) => error,
  )

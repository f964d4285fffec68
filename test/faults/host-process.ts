import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { bundled } from '../support/bundled.js'
import type { Command, HostOptions, Sent, StoredTokens, Told } from './fixtures/host.js'

interface Answers {
  send: Sent
  token: { readonly accessToken: string }
  authorize: { readonly status: string }
  read: StoredTokens | undefined
  check: readonly string[]
}

/** A host in a process of its own: see fixtures/host.ts. */
export interface HostProcess extends AsyncDisposable {
  readonly pid: number
  /** Rejects with the code of the error for a message, and with `host ended` for a process that is gone. */
  call<C extends Command>(command: C): Promise<Answers[C['do']]>
  /** The pages that it wanted a person to see. */
  readonly pages: readonly string[]
  readonly events: readonly string[]
  /** When which refresh token was in the store. */
  readonly stored: readonly { readonly at: number; readonly refreshToken: string }[]
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  readonly ended: Promise<unknown>
}

/**
 * Starts a host, and waits until it has its connector.
 *
 * @param onPage - the person at its browser. Default: nobody
 */
export async function startHost(
  options: HostOptions,
  { env = process.env, onPage }: { env?: NodeJS.ProcessEnv; onPage?: (url: string) => void } = {},
): Promise<HostProcess> {
  const child: ChildProcess = spawn(process.execPath, [program(), JSON.stringify(options)], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()
  const pages: string[] = []
  const events: string[] = []
  const stored: { at: number; refreshToken: string }[] = []
  const ended = once(child, 'exit').then(() => {
    for (const { reject } of waiting.values()) reject(new Error('host ended'))
    waiting.clear()
  })
  let last = 0

  const heard = (told: Told): void => {
    if ('event' in told) events.push(told.event)
    else if ('stored' in told) stored.push(told.stored)
    else {
      pages.push(told.page)
      onPage?.(told.page)
    }
  }
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message: Told | { id: number; value?: never; error?: string }) => {
      if (!('id' in message)) {
        heard(message)
        return resolve()
      }
      const { id, value, error } = message
      if (error === undefined) waiting.get(id)?.resolve(value as never)
      else waiting.get(id)?.reject(new Error(error))
      waiting.delete(id)
    })
    void ended.then(() => reject(new Error('the host did not start')))
  })
  await ready

  return {
    pid: child.pid!,
    call: (command) =>
      new Promise((resolve, reject) => {
        const id = ++last
        waiting.set(id, { resolve, reject })
        child.send({ id, ...command }, (error) => error && reject(new Error('host ended')))
      }),
    pages,
    events,
    stored,
    signal: (signal) => void child.kill(signal),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const program = (): string => bundled(new URL('fixtures/host.ts', import.meta.url))

import { type IncomingHttpHeaders, request } from 'node:http'
import { createServer, type Server } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Asking {
  readonly port: number
  readonly path: string
  /** Where to connect to. Default: 127.0.0.1. */
  readonly address?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}

/** One HTTP request with nothing made up or made good: any Host, any method, any target. */
export function ask({ port, path, address = '127.0.0.1', method = 'GET', headers, signal }: Asking): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const host = `${address === '::1' ? '[::1]' : address}:${port}`
    const outgoing = request(
      { host: address, port, path, method, headers: { host, ...headers }, signal, agent: false },
      (incoming) => {
        let body = ''
        incoming.setEncoding('utf8')
        incoming.on('data', (chunk: string) => {
          body += chunk
        })
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }))
        incoming.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}

/** Listens as another program would. Rejects when the port is taken. */
export function occupy(host: string, port = 0): Promise<{ readonly port: number; release(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer()
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        release: () => new Promise((done) => server.close(() => done())),
      })
    })
  })
}

/** A port that is free now on both stacks, of a range that no system gives out by itself: it stays free for the test. */
export async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000)
  try {
    await (await occupy('127.0.0.1', port)).release()
    if (await hasIpv6()) await (await occupy('::1', port)).release()
    return port
  } catch {
    return freePort()
  }
}

/** Whether this machine has ::1. */
export const hasIpv6 = (): Promise<boolean> =>
  occupy('::1').then(
    async (one) => {
      await one.release()
      return true
    },
    () => false,
  )

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What a promise has come to by now. */
export const stateOf = (promise: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> =>
  Promise.race([
    promise.then(
      () => 'resolved' as const,
      () => 'rejected' as const,
    ),
    pause(30).then(() => 'pending' as const),
  ])

import { createServer, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { CountersignError } from '@countersign/core'
import type { LoopbackHost } from './redirect-uri.js'

const STACKS = ['127.0.0.1', '::1'] as const
/** What the missing half of a machine with one IP version answers. */
const STACK_ABSENT: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])
const EPHEMERAL_TRIES = 10
/** Every cookie of every program that ever served on localhost comes along: Node's own 16 KB are soon exceeded. */
const HEADER_BYTES = 65_536
const HEADER_TIMEOUT_MS = 10_000

/** A port that is bound on every loopback stack of the machine. */
export interface Binding {
  readonly port: number
  /** Stops listening and drops every connection. Idempotent. */
  close(): Promise<void>
}

export interface BindOptions {
  /** Tried in this order. */
  readonly ports: readonly number[]
  /** Whether any free port will do when none of these is. */
  readonly ephemeral: boolean
  /** What to do when no port can be bound, for the error. */
  readonly hint?: string | undefined
  /** The name in the redirect URI: its stack must be there, the other may be missing. */
  readonly host: LoopbackHost
  readonly onRequest: RequestListener
}

type Attempt = { readonly binding: Binding } | { readonly failed: string }

/**
 * Binds one port on 127.0.0.1 and, where the machine has it, on ::1: browsers differ in which of them `localhost` is,
 * and a port bound on one stack only could be another program's on the other.
 *
 * @throws CountersignError `user_agent_unsuitable` when no port can be bound
 * @see RFC 8252 sections 7.3 and 8.3
 */
export async function bindLoopback(options: BindOptions): Promise<Binding> {
  const tries = [...options.ports, ...Array<number>(options.ephemeral ? EPHEMERAL_TRIES : 0).fill(0)]
  const failures = new Set<string>()
  for (const port of tries) {
    const attempt = await bindPort(port, options)
    if ('binding' in attempt) return attempt.binding
    failures.add(port === 0 ? `${attempt.failed} on any other` : `${attempt.failed} on ${port}`)
  }
  const ports = [...options.ports, ...(options.ephemeral ? ['any other'] : [])].join(', ')
  throw new CountersignError('user_agent_unsuitable', {
    step: 'present',
    expected: `to listen on ${options.host}, on port ${ports}`,
    received: [...failures].join(', '),
    hint: options.hint,
  })
}

async function bindPort(wanted: number, { host, onRequest }: BindOptions): Promise<Attempt> {
  const bound: Bound[] = []
  let port = wanted
  for (const stack of STACKS) {
    const result = await listenOn(stack, port, onRequest)
    if (typeof result !== 'string') {
      bound.push(result)
      port = result.port
    } else if (!STACK_ABSENT.has(result) || host === (stack === '::1' ? '[::1]' : stack)) {
      // In use, or forbidden (Windows reserves ranges and says EACCES): not this port. The host's own stack must be there.
      await Promise.all(bound.map((one) => one.close()))
      return { failed: result }
    }
  }
  if (bound.length === 0) return { failed: 'EADDRNOTAVAIL' }
  return { binding: { port, close: async () => void (await Promise.all(bound.map((one) => one.close()))) } }
}

interface Bound {
  readonly port: number
  close(): Promise<void>
}

/** Resolves with the server, or with the code of what the system says. */
function listenOn(stack: (typeof STACKS)[number], port: number, onRequest: RequestListener): Promise<Bound | string> {
  const server = createServer({ maxHeaderSize: HEADER_BYTES, headersTimeout: HEADER_TIMEOUT_MS }, onRequest)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name))
    // exclusive: the workers of a cluster would otherwise share one port, and one would get another's response.
    server.listen({ host: stack, port, exclusive: true }, () => {
      // An accept that fails later (out of descriptors) ends nothing: the browser tries again, and so does the person.
      server.on('error', () => undefined)
      const address = server.address()
      const actual = typeof address === 'object' && address !== null ? address.port : port
      resolve({ port: actual, close: () => shut(server, sockets) })
    })
  })
}

function shut(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    // Closing a server that is closed already reports an error, and closed is what was wanted.
    server.close(() => resolve())
    // Browsers open connections ahead of need and keep them: each would hold the process.
    for (const socket of sockets) socket.destroy()
  })
}

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bindLoopback } from './bind.js'
import { type Notice, noticePage, PAGE_HEADERS } from './pages.js'
import { type LoopbackHost, redirectUri } from './redirect-uri.js'

/** Authorization codes that are JWTs reach some kilobytes; nothing valid reaches this. */
const URL_CHARACTERS = 16_384
const FINISH_MS = 1_000

export interface ListenOptions {
  /** Tried in this order. */
  readonly ports: readonly number[]
  /** Whether any free port will do when none of these is. Default: true. */
  readonly ephemeral?: boolean
  readonly host: LoopbackHost
  /** The one path that is served, from its slash. */
  readonly path: string
  /** What to do when no port can be bound, for the error. */
  readonly hint?: string
  /** The `state` to wait for, if it is known already. */
  readonly state?: string
}

/** A listener that waits for one authorization response (RFC 8252 section 7.3). */
export interface Listener {
  readonly port: number
  /** What is registered and sent, to the letter. */
  readonly redirectUri: string
  /** Whether the response has come. */
  readonly answered: boolean
  /** The parameters of the one response that carries the right `state`. Stays pending when the listener is closed before. */
  readonly response: Promise<URLSearchParams>
  /** Sets the `state` to wait for; until then no response is the right one. */
  expect(state: string): void
  /** Shows `html` to the browser that brought the response; resolves when it is written, at most a second later. */
  finish(status: number, html: string): Promise<void>
  /** Closes at once, with every connection. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts listening, before any URL is built.
 *
 * Nothing but the right `state` moves it: any page that the person has open can send requests to a port of this
 * machine, so a wrong one is told nothing and changes nothing.
 *
 * @throws CountersignError `user_agent_unsuitable` when no port can be bound
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, path } = options
  let expected = options.state
  let held: ServerResponse | undefined
  let deliver: (parameters: URLSearchParams) => void
  const response = new Promise<URLSearchParams>((resolve) => {
    deliver = resolve
  })

  function onRequest(request: IncomingMessage, reply: ServerResponse): void {
    // The browser may hang up at any time; the response that it brought stays good.
    reply.on('error', () => undefined)
    const answer = judge(request, { host, path, expected })
    if ('refused' in answer) {
      send(reply, answer.status, noticePage(answer.refused), answer.headers)
    } else if (held !== undefined) {
      send(reply, 409, noticePage('answered'))
    } else {
      held = reply
      deliver(answer.parameters)
    }
  }

  const { ports, ephemeral = true, hint } = options
  const binding = await bindLoopback({ ports, ephemeral, host, hint, onRequest })
  return {
    port: binding.port,
    redirectUri: redirectUri({ host, port: binding.port, path }),
    get answered() {
      return held !== undefined
    },
    response,
    expect(state) {
      expected = state
    },
    finish: async (status, html) => {
      if (held !== undefined && !held.headersSent) await written(held, () => send(held, status, html))
    },
    close: () => binding.close(),
  }
}

type Judgement =
  | { readonly parameters: URLSearchParams }
  | { readonly status: number; readonly refused: Notice; readonly headers?: Record<string, string> }

interface Wanted {
  readonly host: LoopbackHost
  readonly path: string
  readonly expected: string | undefined
}

/** Whether a request is the authorization response that is waited for. */
function judge(request: IncomingMessage, { host, path, expected }: Wanted): Judgement {
  const target = request.url ?? ''
  const at = target.includes('?') ? target.indexOf('?') : target.length
  // A name of an attacker's that was made to point here (DNS rebinding) shows in Host.
  if (request.headers.host?.toLowerCase() !== authority(host, request)) return { status: 400, refused: 'unrecognised' }
  if (target.length > URL_CHARACTERS) return { status: 414, refused: 'unrecognised' }
  if (target.slice(0, at) !== path) return { status: 404, refused: 'not_found' }
  // HEAD included: a link checker must not use up the response.
  if (request.method !== 'GET') return { status: 405, refused: 'not_found', headers: { Allow: 'GET' } }
  const parameters = new URLSearchParams(target.slice(at))
  return carries(parameters, expected) ? { parameters } : { status: 400, refused: 'unrecognised' }
}

/** What a browser puts into Host when it follows the redirect URI: without the port where that is 80. */
const authority = (host: LoopbackHost, request: IncomingMessage): string =>
  new URL(`http://${host}:${request.socket.localPort ?? 0}`).host

/** Exactly one `state`, and the right one, compared without telling by the time how much of it is right. */
function carries(parameters: URLSearchParams, expected: string | undefined): boolean {
  const [state, ...more] = parameters.getAll('state')
  if (state === undefined || more.length > 0 || expected === undefined || expected === '') return false
  return timingSafeEqual(sha256(state), sha256(expected))
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

function send(
  reply: ServerResponse | undefined,
  status: number,
  html: string,
  headers: Record<string, string> = {},
): void {
  reply?.writeHead(status, { ...PAGE_HEADERS, ...headers, 'Content-Length': Buffer.byteLength(html) }).end(html)
}

/** Resolves when the connection of `reply` is over: the page went out, or the browser is gone, or it takes too long. */
function written(reply: ServerResponse, write: () => void): Promise<void> {
  const { socket } = reply
  if (socket === null || socket.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, FINISH_MS)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    write()
  })
}

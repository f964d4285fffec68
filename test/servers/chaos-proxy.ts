import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { readBody } from './answer.js'
import { listen } from './listener.js'

/** What a network or a gateway does to a token request. */
export type Fault =
  /** The connection breaks before the server has seen the request. */
  | 'drop before'
  /** It breaks when the server has answered. */
  | 'drop after'
  /** Late, within every deadline. */
  | 'delay'
  /** The server has answered, and nothing comes, for as long as the client waits. */
  | 'silence'
  | '429'
  | '503 HTML'
  /** A gateway's own page, although the server has answered. */
  | '502 after'
  /** The answer breaks off, and the connection with it. */
  | 'cut'
  /** The answer breaks off, and nobody says so. */
  | 'truncated JSON'
  /** Sent on twice; the answer is the first one's. */
  | 'duplicate'
  /** Sent on twice; the answer is the second one's. */
  | 'duplicate, second answer'

/** A request that came through. */
export interface Exchange {
  readonly fault: Fault | 'none'
  readonly grantType: string | null
  /** When it came, by the clock that the proxy was given. */
  readonly at: number
  /** What was presented, for telling one token's requests from another's. */
  readonly refreshToken: string | null
  /** The server has given new tokens for what was presented. */
  committed: boolean
  /** It has reached the server, whatever came of it. */
  reached: boolean
  /** A refresh token that the server gave has reached the client, or the server's refusal. */
  delivered: boolean
}

export interface ChaosProxy extends AsyncDisposable {
  readonly url: string
  readonly exchanges: readonly Exchange[]
  /** Asked for each refresh; other grants go through as they are. */
  next: (() => Fault | undefined) | undefined
}

const HTML = '<!DOCTYPE html><title>Service Unavailable</title><h1>Please try again later</h1>'

/**
 * A proxy on a token endpoint that does to refreshes what a test says, and labels each by what the server had committed.
 *
 * @param options.random - 0 to 1: how late, and where an answer breaks off
 */
export async function startChaosProxy(
  tokenEndpoint: string,
  { now, random }: { readonly now: () => number; readonly random: () => number },
): Promise<ChaosProxy> {
  const exchanges: Exchange[] = []
  const listener = await listen(() => (request, response) => {
    handle(request, response).catch(() => response.destroy())
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request)
    const form = new URLSearchParams(body.toString('utf8'))
    const grantType = form.get('grant_type')
    const fault = (grantType === 'refresh_token' && self.next?.()) || 'none'
    const refreshToken = form.get('refresh_token')
    const labels = { committed: false, reached: false, delivered: false }
    const exchange: Exchange = { fault, at: now(), grantType, refreshToken, ...labels }
    exchanges.push(exchange)
    const said = (status: number, type: string, text: string | Buffer): Promise<void> =>
      new Promise((resolve) => {
        response.once('close', () => {
          exchange.delivered = response.writableFinished && exchange.reached && fault !== '502 after'
          resolve()
        })
        response.writeHead(status, { 'content-type': type }).end(text)
      })
    const forward = async (): Promise<{ readonly status: number; readonly text: string }> => {
      const { authorization } = request.headers
      const answer = await fetch(tokenEndpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...(authorization && { authorization }) },
        body: new Uint8Array(body),
      })
      const text = await answer.text()
      exchange.reached = true
      exchange.committed ||= answer.ok
      return { status: answer.status, text }
    }

    if (fault === 'drop before') return void response.destroy()
    if (fault === '429') return said(429, 'text/plain', 'slow down')
    if (fault === '503 HTML') return said(503, 'text/html', HTML)
    if (fault === 'delay') await delay(5 + random() * 30)
    let { status, text } = await forward()
    if (fault === 'duplicate, second answer') ({ status, text } = await forward())
    if (fault === 'duplicate') await forward()
    if (fault === 'drop after') return void response.destroy()
    if (fault === 'silence') return void (await new Promise((resolve) => response.once('close', resolve)))
    if (fault === '502 after') return said(502, 'text/html', HTML)
    if (fault === 'cut') {
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
      response.write(text.slice(0, text.length / 2), () => response.destroy())
      return
    }
    // Somewhere in it, as long as it is not the whole of it.
    if (fault === 'truncated JSON') text = text.slice(0, Math.floor(text.length * random()))
    await said(status, 'application/json', text)
    if (fault === 'truncated JSON') exchange.delivered &&= /"refresh_token":"[^"]+"/.test(text)
  }

  const self: ChaosProxy = {
    url: `${listener.origin}/token`,
    exchanges,
    next: undefined,
    [Symbol.asyncDispose]: listener.close,
  }
  return self
}

import type { Tokens } from '../messages/token-response.js'
import type { Fetch } from '../ports/fetch.js'
import { parseUrl } from '../primitives/parse-url.js'
import type { ConnectionCore } from './connection-core.js'

/** A request of an MCP client, as far as authorization is concerned. */
export interface McpRequest {
  readonly url: string
  readonly input: string | URL | Request
  readonly init: RequestInit | undefined
  /** What sends it in place of the connector's `fetch`. */
  readonly door: Fetch | undefined
  /** A copy to put the token in; undefined for a request to another origin, which goes out as it came. */
  readonly headers: Headers | undefined
  readonly ownAuthorization: boolean
  readonly signal: AbortSignal | null | undefined
  readonly method: string
  /** Whether it can be sent a second time. A stream or an iterator cannot, and is never buffered. */
  readonly replayable: boolean
  /** The SDKs' legacy SSE transport: it alone asks for this cache mode. */
  readonly legacySse: boolean
  /** How long it has waited for refreshes, in milliseconds: its patience is for all of them. */
  readonly waited: { ms: number }
}

export function readRequest(
  core: ConnectionCore,
  input: string | URL | Request,
  init: RequestInit | undefined,
  door: Fetch | undefined,
): McpRequest {
  const request = typeof input === 'object' && 'method' in input ? input : undefined
  const url = request?.url ?? String(input)
  const within = sameOrigin(core.origin, url)
  if (!within) foreign(core, url)
  const headers = within ? new Headers(init?.headers ?? request?.headers) : undefined
  const body = init?.body ?? request?.body
  const ownAuthorization = headers?.has('authorization') ?? false
  return {
    url,
    input,
    init,
    // What the host says itself, or to others, is no business of an audit.
    door: ownAuthorization ? undefined : door,
    headers,
    ownAuthorization,
    signal: init?.signal ?? request?.signal,
    method: (init?.method ?? request?.method ?? 'GET').toUpperCase(),
    replayable: isReplayable(body) && !(request?.body && init?.body === undefined),
    legacySse: (init?.cache ?? request?.cache) === 'no-store',
    waited: { ms: 0 },
  }
}

const isReplayable = (body: unknown): boolean =>
  body === undefined ||
  body === null ||
  typeof body === 'string' ||
  ArrayBuffer.isView(body) ||
  [ArrayBuffer, Blob, FormData, URLSearchParams].some((type) => body instanceof type)

/**
 * The headers of a request with a token added, at the price of copying one header: setting it anew for every request would
 * check its hundreds of characters again.
 *
 * @returns undefined where the request has to be looked at first: a `Request`, another origin, an `Authorization` of its own, and
 * with a token that is bound to a key
 */
export function headersWith(
  { runtime, origin }: ConnectionCore,
  tokens: Tokens,
  input: string | URL | Request,
  init?: RequestInit,
): Headers | undefined {
  if (typeof input === 'object' && 'method' in input) return undefined
  if (!sameOrigin(origin, String(input))) return undefined
  if (runtime.prepared?.tokens !== tokens) {
    // Each request needs a proof of its own.
    if (tokens.token_type === 'DPoP') return undefined
    runtime.prepared = { tokens, headers: new Headers({ authorization: `Bearer ${tokens.access_token}` }) }
  }
  const headers = new Headers(runtime.prepared.headers)
  const own = init?.headers ?? []
  for (const [name = '', value = ''] of Symbol.iterator in own ? own : Object.entries(own)) {
    if (name.toLowerCase() === 'authorization') return undefined
    headers.append(name, value)
  }
  return headers
}

/** A bare look at the text decides where it can: parsing a URL costs more than the rest of a request. */
function sameOrigin(origin: string, url: string): boolean {
  if (url.startsWith(origin)) {
    const next = url[origin.length]
    if (next === '/' || next === '?' || next === '#' || next === undefined) return true
  }
  return parseUrl(url)?.origin === origin
}

/** Where a token never goes, and that it did not go there, once for each origin. */
function foreign(core: ConnectionCore, url: string): void {
  const origin = parseUrl(url)?.origin
  core.foreign ??= new Set()
  if (origin === undefined || core.foreign.has(origin)) return
  core.foreign.add(origin)
  core.diagnose({ code: 'foreign_origin', expected: core.origin, received: origin })
}

/** Sends the request with these tokens, or bare. */
export function send(core: ConnectionCore, request: McpRequest, tokens: Tokens | undefined): Promise<Response> {
  const { input, init, headers, door = core.runtime.fetch } = request
  if (headers === undefined) return door(input, init)
  const bound = tokens?.token_type === 'DPoP'
  if (bound && !core.switchedOff) return core.needProving().send(core, request)
  if (tokens !== undefined && !bound) headers.set('authorization', `Bearer ${tokens.access_token}`)
  else if (!request.ownAuthorization) headers.delete('authorization')
  return door(input, { ...init, headers })
}

/** A stream that the client opens for itself, or the end of a session, with nobody waiting: neither opens a browser. */
export function isBackground({ method, init }: McpRequest): boolean {
  if (method === 'GET' || method === 'DELETE') return true
  return typeof init?.body === 'string' && /"method"\s*:\s*"subscriptions\/listen"/.test(init.body)
}

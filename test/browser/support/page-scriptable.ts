import type { Answer } from '../../servers/answer.js'
import type { ScriptableHandler, ScriptableRequest, ScriptableServer } from '../../servers/scriptable.js'
import { nextTurn } from '../../support/next-turn.js'

export type { ScriptableHandler, ScriptableRequest, ScriptableServer } from '../../servers/scriptable.js'

/**
 * What stands in for `test/servers/scriptable.ts` where there are no sockets: in a page and in a worker. The same scripts
 * answer, over a `fetch` that knows their origins and is the platform's own for all others. Everything else, from `Headers` and
 * streams to `crypto.subtle`, is the platform's.
 */
export async function startScriptableServer(handler: ScriptableHandler): Promise<ScriptableServer> {
  const requests: ScriptableRequest[] = []
  const errors: unknown[] = []
  const cut = new AbortController()
  const origin = `http://127.0.0.1:${nextPort++}`

  servers.set(origin, async (request) => {
    const { pathname, searchParams } = new URL(request.url)
    const asked: ScriptableRequest = {
      method: request.method,
      url: request.url,
      path: pathname,
      query: searchParams,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
      at: Date.now(),
    }
    requests.push(asked)
    const gone = AbortSignal.any([request.signal, cut.signal])
    try {
      return await answered((await handler(asked)) ?? { status: 404, body: 'not found' }, gone)
    } catch (error) {
      if (error instanceof CutOff || gone.aborted) throw error
      errors.push(error)
      return new Response('the test handler threw', { status: 500 })
    }
  })
  knowServers()

  const close = async (): Promise<void> => {
    servers.delete(origin)
    cut.abort(new CutOff())
  }
  return {
    origin,
    requests,
    errors,
    clearRequests: () => {
      requests.length = 0
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** What a platform's `fetch` throws when a connection breaks. */
class CutOff extends TypeError {
  constructor() {
    super('Failed to fetch')
  }
}

const servers = new Map<string, (request: Request) => Promise<Response>>()
/** None that a server has: what is not known here is out of reach. */
let nextPort = 60_001
let platform: typeof fetch | undefined

/** Once, so that a test may put its own over it and take it away again. */
function knowServers(): void {
  if (platform) return
  platform = globalThis.fetch
  const elsewhere = platform.bind(globalThis)
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    // One turn of the loop at least, as over a socket: nobody is called back within their own call.
    await nextTurn()
    request.signal.throwIfAborted()
    const { origin, hostname } = new URL(request.url)
    const serve = servers.get(origin)
    if (serve) return Promise.race([serve(request), whenAborted(request.signal)])
    if (hostname === '127.0.0.1' && origin !== globalThis.location?.origin) throw new CutOff()
    return elsewhere(input, init)
  }
}

const whenAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })

async function answered(answer: Answer, gone: AbortSignal): Promise<Response> {
  if (answer.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, answer.delayMs))
  const said = answer.json === undefined ? answer.body : JSON.stringify(answer.json)
  const silent = answer.status === undefined && said === undefined && answer.chunks === undefined
  if (silent && answer.destroy) throw new CutOff()
  if (silent && answer.hang) return whenAborted(gone)

  const headers = new Headers(answer.json === undefined ? {} : { 'content-type': 'application/json' })
  for (const [name, values] of Object.entries(answer.headers ?? {})) {
    headers.delete(name)
    for (const value of [values].flat()) headers.append(name, value)
  }
  const status = answer.status ?? 200
  const bodiless = status === 204 || status === 205 || status === 304
  return new Response(bodiless ? null : bodyOf(answer, said, gone), { status, headers })
}

function bodyOf(answer: Answer, said: string | Uint8Array | undefined, gone: AbortSignal): ReadableStream<Uint8Array> {
  const bytes = (part: string | Uint8Array): Uint8Array =>
    typeof part === 'string' ? new TextEncoder().encode(part) : part
  return new ReadableStream({
    async start(controller) {
      const end = (): void => controller.error(gone.reason)
      gone.addEventListener('abort', end)
      for await (const part of answer.chunks ?? (said === undefined ? [] : [said])) {
        if (gone.aborted) return
        controller.enqueue(bytes(part))
        if (answer.chunkDelayMs) await new Promise((resolve) => setTimeout(resolve, answer.chunkDelayMs))
      }
      if (answer.hang) return
      gone.removeEventListener('abort', end)
      if (answer.destroy) controller.error(new CutOff())
      else if (!gone.aborted) controller.close()
    },
  })
}

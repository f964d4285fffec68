import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/** What a test wants a client to get, well behaved or not. */
export interface Answer {
  /** 200 unless given. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** Sent as it is. */
  readonly body?: string | Uint8Array
  /** Sent as JSON, with its content type unless `headers` has one. Instead of `body`. */
  readonly json?: unknown
  /** Sent one after the other, `chunkDelayMs` apart. Instead of `body`. */
  readonly chunks?: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>
  readonly chunkDelayMs?: number
  /** Waits this long before the first byte. */
  readonly delayMs?: number
  /** Never ends the answer: alone it sends nothing at all, with a body it sends that first. */
  readonly hang?: boolean
  /** Cuts the socket: alone at once, with a body after it. Add a longer `content-length` for a truncated answer. */
  readonly destroy?: boolean
}

/** Sends an answer. Resolves when everything that will ever be sent has been handed over. */
export async function sendAnswer(response: ServerResponse, answer: Answer): Promise<void> {
  // Not referenced: a delay must not keep the process alive once the server itself is gone.
  if (answer.delayMs !== undefined) await delay(answer.delayMs, undefined, { ref: false })
  if (response.destroyed) return

  const body = answer.json === undefined ? answer.body : JSON.stringify(answer.json)
  const breaksOff = answer.hang === true || answer.destroy === true
  const saysSomething = answer.status !== undefined || body !== undefined || answer.chunks !== undefined
  if (saysSomething || !breaksOff) {
    if (answer.json !== undefined) response.setHeader('content-type', 'application/json')
    for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value)
    response.writeHead(answer.status ?? 200)
  }
  if (!breaksOff && answer.chunks === undefined) {
    response.end(body)
    return
  }

  if (answer.chunks) await sendChunks(response, answer.chunks, answer.chunkDelayMs ?? 0)
  else if (body !== undefined) await write(response, body)
  else if (saysSomething) response.flushHeaders()
  if (answer.destroy) response.destroy()
  else if (!answer.hang) response.end()
}

/** Tells the status as soon as the answer begins: a stream may not end for a long time. */
export function onStatus(response: ServerResponse, tell: (status: number) => void): void {
  const writeHead = response.writeHead
  response.writeHead = ((...parts: Parameters<typeof writeHead>) => {
    tell(parts[0])
    return writeHead.apply(response, parts)
  }) as typeof writeHead
}

/** The whole body of a request. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function sendChunks(
  response: ServerResponse,
  chunks: NonNullable<Answer['chunks']>,
  chunkDelayMs: number,
): Promise<void> {
  for await (const chunk of chunks) {
    if (response.destroyed) return
    await write(response, chunk)
    await delay(chunkDelayMs, undefined, { ref: false })
  }
}

/** The callback of `write` comes late or never when the client has gone: `close` ends the wait as well. */
function write(response: ServerResponse, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('close', done)
      resolve()
    }
    response.once('close', done)
    response.write(chunk, done)
  })
}

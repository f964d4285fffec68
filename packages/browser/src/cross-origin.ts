import { CountersignError, type Fetch } from '@countersign/core'

/** What a script may set without asking the server first (Fetch standard, CORS-safelisted request headers), as we use them. */
const SAFE = new Set(['accept', 'accept-language', 'content-language'])
const SAFE_TYPE = /^(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/

/**
 * `fetch` for discovery, registration and tokens. The platform has one exception for a server that is down and for one whose
 * answer the page may not read; this tells them apart, by asking again in a way that reads nothing.
 *
 * @param send - the page's own
 * @throws CountersignError `cross_origin_blocked`
 * @throws what the platform throws where the server cannot be reached
 */
export const readable =
  (send: Fetch): Fetch =>
  async (input, init) => {
    try {
      return await send(input, init)
    } catch (cause) {
      throw (await blocked(input, init, cause)) ?? cause
    }
  }

/**
 * `fetch` for MCP requests. Many servers answer their 401 before anything adds CORS headers: a request without a token whose
 * answer may not be read is taken for that, a refusal whose challenge nobody can see, so that the well-known URLs are asked
 * (MCP authorization, protected resource metadata discovery).
 *
 * @throws CountersignError `cross_origin_blocked` for one with a token
 * @throws what the platform throws in every other case
 */
export const mcpFetch: Fetch = async (input, init) => {
  try {
    return await globalThis.fetch(input, init)
  } catch (cause) {
    const headers = headersOf(input, init)
    // What goes elsewhere through a connection is none of ours, and fails as it would without it.
    if (!headers.get('accept')?.includes('text/event-stream')) throw cause
    const error = await blocked(input, init, cause)
    if (error && !headers.has('authorization')) return new Response(null, { status: 401 })
    throw error ?? cause
  }
}

type Input = Parameters<Fetch>[0]

const asked = (input: Input): Request | undefined =>
  typeof input === 'object' && 'method' in input ? input : undefined

const headersOf = (input: Input, init: RequestInit | undefined): Headers =>
  new Headers(init?.headers ?? asked(input)?.headers)

/** @returns undefined where the server is out of reach, as far as a page can know */
async function blocked(
  input: Input,
  init: RequestInit | undefined,
  cause: unknown,
): Promise<CountersignError | undefined> {
  const { origin } = globalThis.location ?? {}
  const url = asked(input)?.url ?? String(input)
  const signal = init?.signal ?? asked(input)?.signal ?? null
  if (!(cause instanceof TypeError) || signal?.aborted || !origin || new URL(url, origin).origin === origin) return
  /** Without a body, a cookie or a header of ours, so that it is no more than a link could do. That it fails is its answer. */
  const reached = async (mode: 'cors' | 'no-cors'): Promise<boolean> => {
    const bare = { credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer' } as const
    try {
      await globalThis.fetch(url, { method: 'HEAD', mode, signal, ...bare })
      return true
    } catch {
      return false
    }
  }
  if (!(await reached('no-cors'))) return
  const names = [...headersOf(input, init)].flatMap(([name, value]) =>
    SAFE.has(name) || (name === 'content-type' && SAFE_TYPE.test(value)) ? [] : name,
  )
  // Read without them: it is the question before the request that the server does not answer with yes.
  const preflight = names.length > 0 && (await reached('cors'))
  const expected = preflight
    ? `an answer to OPTIONS with Access-Control-Allow-Headers: ${names.join(', ')}`
    : `Access-Control-Allow-Origin: ${origin}, with errors too`
  return new CountersignError('cross_origin_blocked', {
    step: 'fetch',
    url,
    expected,
    received: `an answer that ${origin} may not read, without ${preflight ? 'that' : 'Access-Control-Allow-Origin'}`,
    cause,
  })
}

import { type AssertionSupplier, CountersignError } from '@countersign/core'
import { filled } from './suppliers.js'

/** How a platform hands out the workload's token. */
export interface AssertionUrlOptions {
  /** What the platform wants to see: `{ 'metadata-flavor': 'Google' }`, `{ authorization: 'Bearer …' }`. Default: none. */
  readonly headers?: Readonly<Record<string, string>>
  /** The query parameter that names whom the token is for; `false` for none. Default: `audience`. */
  readonly audienceParameter?: string | false
  /** The member of a JSON answer that is the token: `value` at GitHub. Default: the whole answer. */
  readonly member?: string
}

/** Larger than any token, in bytes. */
const MAX_BYTES = 65_536
const TIMEOUT_MS = 10_000

/**
 * The assertion at a URL, asked for at each acquisition: a cloud's metadata server, or a CI's token service. The URL is the host's
 * own, so it may be in cleartext and at a private address. No redirect is followed.
 *
 * @throws CountersignError, when it is asked: `options_invalid`
 * @example
 * ```ts
 * const { ACTIONS_ID_TOKEN_REQUEST_URL = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN } = process.env
 * const headers = { authorization: `Bearer ${ACTIONS_ID_TOKEN_REQUEST_TOKEN}` }
 * workloadIdentity({ issuer, assertion: assertionFromUrl(ACTIONS_ID_TOKEN_REQUEST_URL, { headers, member: 'value' }) })
 * ```
 */
export const assertionFromUrl =
  (
    url: string,
    { headers = {}, audienceParameter = 'audience', member }: AssertionUrlOptions = {},
  ): AssertionSupplier =>
  async ({ audience }) => {
    const expected = 'an assertion at this URL'
    const failed = (received: string, cause?: unknown): CountersignError =>
      new CountersignError('options_invalid', { step: 'acquire', url, expected, received, cause })
    if (!URL.canParse(url)) throw failed('no URL')
    const from = new URL(url)
    if (audienceParameter !== false) from.searchParams.set(audienceParameter, audience)
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    try {
      const response = await globalThis.fetch(from, { headers, signal, redirect: 'error' })
      const text = await bounded(response)
      if (text === undefined) throw failed(`more than ${MAX_BYTES} bytes`)
      if (!response.ok) throw failed(`HTTP ${response.status}`)
      return filled(expected, member === undefined ? text : memberOf(text, member))
    } catch (cause) {
      if (CountersignError.is(cause)) throw cause
      if (signal.aborted) throw failed(`nothing within ${TIMEOUT_MS} ms`, cause)
      // What fetch says of a request that it does not even send quotes it; what the network says has a cause of its own.
      throw failed('no answer', Object(cause).cause)
    }
  }

async function bounded(response: Response): Promise<string | undefined> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.byteLength
    if (size > MAX_BYTES) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Nothing where there is no such member; the parser's own error would quote what came. */
function memberOf(text: string, member: string): string {
  try {
    const value: unknown = JSON.parse(text)?.[member]
    return typeof value === 'string' ? value : ''
  } catch {
    return ''
  }
}

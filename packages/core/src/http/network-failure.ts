import { CountersignError } from '../errors/error.js'

/** Failures that the runtime reports before a byte of the request was sent. */
const BEFORE_SENDING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ConnectionRefused',
])

/** The code that a runtime gave a network failure, found along its causes. */
function reasonOf(failure: unknown): string | undefined {
  let at: { readonly code?: unknown; readonly cause?: unknown; readonly errors?: readonly unknown[] } = Object(failure)
  for (let depth = 0; depth < 5; depth++) {
    if (typeof at.code === 'string') return at.code
    // Of several addresses that were tried, the first stands for all.
    at = Object(at.errors?.[0] ?? at.cause)
  }
  return undefined
}

/** What `fetch` threw, as an error of ours. A hook of the host's that knows better throws one itself. */
export function networkFailure(step: string, url: string, cause: unknown): CountersignError {
  if (CountersignError.is(cause)) return new CountersignError(cause.code, { ...cause, step })
  const said = String(Object(cause).message ?? cause)
  const reason = reasonOf(cause) ?? ''
  const received = said.includes(reason) ? said : `${said} (${reason})`
  return new CountersignError('network_error', { step, url, received, cause })
}

/** Whether it is certain that the server never saw the request: no connection came about. */
export function neverSent(error: unknown): boolean {
  const { code, cause } = Object(error)
  return code === 'url_not_allowed' || (code === 'network_error' && BEFORE_SENDING.has(reasonOf(cause) ?? ''))
}

import { CountersignError } from '../errors/error.js'

/** Failures that the runtime reports before a byte of the request was sent. */
const BEFORE_SENDING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_INVALID_URL',
  'ConnectionRefused',
])

/** The code that a runtime gave a network failure, found along its causes. */
function reasonOf(cause: unknown): string | undefined {
  for (let at: unknown = cause, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code
    if ('errors' in at && Array.isArray(at.errors) && at.errors.length > 0) at = at.errors[0]
    else at = 'cause' in at ? at.cause : undefined
  }
  return undefined
}

/** What the platform's `fetch` threw, as an error of ours. */
export function networkFailure(step: string, url: string, cause: unknown): CountersignError {
  const said = cause instanceof Error ? cause.message : String(cause)
  const reason = reasonOf(cause)
  return new CountersignError('network_error', {
    step,
    url,
    received: reason === undefined || said.includes(reason) ? said : `${said} (${reason})`,
    cause,
  })
}

/** Whether it is certain that the server never saw the request: no connection came about. */
export function neverSent(error: unknown): boolean {
  if (!CountersignError.is(error)) return false
  if (error.code === 'url_not_allowed') return true
  return error.code === 'network_error' && BEFORE_SENDING.has(reasonOf(error.cause) ?? '')
}

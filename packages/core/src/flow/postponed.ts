import type { ErrorCode } from '../errors/codes.js'
import { CountersignError } from '../errors/error.js'
import { DAY_MS } from '../primitives/day.js'

/** How long a token endpoint is left alone after it could not answer, unless it said so itself; `times` in a row before. */
export const backoffMs = (times: number): number => 5_000 * 4 ** Math.min(times, 4)

/** Whether it could not answer the last time either: what did answer has left no time behind. */
export const failedBefore = ({ retry_at }: { readonly retry_at?: number }): number => (retry_at === undefined ? 0 : 1)

/** Until when nothing is to be sent, if that is later than now; in milliseconds since the epoch. */
export function postponedUntil(retry_at: number = 0, now: number): number | undefined {
  // One that is further away than any that is written comes of a clock that was wrong.
  return retry_at > now && retry_at <= now + DAY_MS ? retry_at : undefined
}

/** The error for tokens that cannot be had now, and may be had at `retryAt`. */
export const postponed = (
  url: string,
  step: string,
  retryAt: number,
  code: ErrorCode = 'server_unavailable',
  cause?: CountersignError,
): CountersignError =>
  new CountersignError(code, {
    step,
    url,
    received: cause === undefined ? 'a failure a moment ago' : (cause.received ?? cause.code),
    retryAt,
    cause,
  })

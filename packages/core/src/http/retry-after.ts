import { DAY_MS } from '../primitives/day.js'
/**
 * The point in time that a `Retry-After` header names (RFC 9110 section 10.2.3), at most a day away.
 *
 * @param now - milliseconds since the epoch
 * @returns milliseconds since the epoch
 */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  // Every form of HTTP-date names its month; Date.parse would make a date of "1.5" too.
  const date = /[a-z]{3}/i.test(header) ? Date.parse(header) : Number.NaN
  const at = /^\s*\d+\s*$/.test(header) ? now + Number(header) * 1000 : date
  return Number.isFinite(at) ? Math.min(Math.max(at, now), now + DAY_MS) : undefined
}

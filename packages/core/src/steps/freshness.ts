const DAY = 86_400

/**
 * Until when a metadata document may be used, in milliseconds since the epoch: by its cache headers (RFC 9111 section 4.2), a
 * day at most.
 *
 * @param otherwise - seconds, where the headers say nothing
 */
export function freshUntil(headers: Headers, now: number, otherwise: number): number {
  const control = headers.get('cache-control') ?? ''
  if (/\bno-(?:store|cache)\b/i.test(control)) return now
  const [, maxAge] = /\bmax-age\s*=\s*"?(\d+)/i.exec(control) ?? []
  const expires = Date.parse(headers.get('expires') ?? '')
  const date = Date.parse(headers.get('date') ?? '')
  const lifetime = maxAge ?? (expires - (date || now)) / 1000
  const seconds = Number.isNaN(Number(lifetime)) ? otherwise : Number(lifetime) - Number(headers.get('age') ?? 0)
  return now + Math.min(Math.max(seconds || 0, 0), DAY) * 1000
}

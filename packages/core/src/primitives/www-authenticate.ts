/** One challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1). */
export interface Challenge {
  /** As it was sent; schemes are compared without case (RFC 9110 section 11.1). */
  readonly scheme: string
  readonly token68?: string
  /** By name in lower case, with every value in the order sent: servers repeat parameters that may not be repeated. */
  readonly parameters: ReadonlyMap<string, readonly string[]>
}

type Draft = Omit<Challenge, 'parameters'> & { readonly parameters: Map<string, string[]> }

// Everything between repetitions is disjoint, so nothing is read more than a few times and the parser takes linear time.
const HEAD = /([\s,]*)([\w!#$%&'*+\-.^`|~]*)(\s*)(=?)/y
const TOKEN68 = /([\w\-.~+/]+=*)\s*(?=,|$)/y
const SINGLE_QUOTED = /\s*'([^']*)'/y
// In quotes; or else words up to the comma, unless they begin the next parameter.
const TEXT = /\s*(?:"((?:[^"\\]|\\.)*)"|"?([^\s,]*(?:\s+(?![\w!#$%&'*+\-.^`|~]*\s*=)[^\s,]+)*))/sy
const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/

/**
 * Every challenge of a `WWW-Authenticate` header, also where several header lines were joined by `", "`.
 *
 * @returns `malformed`: it departs from the grammar of RFC 9110 section 11.6.1 and was read as it was most likely meant
 *   (single quotes, unquoted URLs, unquoted values with spaces, a quote or a comma left out, text of no meaning)
 */
export function parseWwwAuthenticate(header: string): {
  readonly challenges: readonly Challenge[]
  readonly malformed: boolean
} {
  const challenges: Draft[] = []
  let malformed = false
  let at = 0

  const take = (pattern: RegExp): readonly (string | undefined)[] => {
    pattern.lastIndex = at
    const match = pattern.exec(header)
    if (match) at = pattern.lastIndex
    return match ?? []
  }

  const text = (): string => {
    const [, quoted, words = ''] = take(TEXT)
    malformed ||= quoted === undefined && !TOKEN.test(words)
    return quoted?.replace(/\\(.)/gs, '$1') ?? words
  }

  while (true) {
    const begin = at
    const [, gap = '', name, space, equals] = take(HEAD)
    const start = begin + gap.length
    if (start >= header.length) return { challenges, malformed }
    const separated = begin === 0 || gap.includes(',')
    const current = challenges.at(-1)
    if (name && equals) {
      const key = name.toLowerCase()
      const values = current?.parameters.get(key) ?? []
      // Only the first parameter follows its scheme without a comma.
      const follows = separated || current?.parameters.size === 0
      // In values alone: elsewhere a run of apostrophes is one token, and read again for each of them it would take quadratic
      // time.
      const [, quoted] = take(SINGLE_QUOTED)
      malformed ||= !current || current.token68 !== undefined || !follows || quoted !== undefined
      values.push(quoted ?? text())
      current?.parameters.set(key, values)
    } else if (name && separated && (space || at >= header.length || header[at] === ',')) {
      const [, token68] = take(TOKEN68)
      challenges.push({ scheme: name, ...(token68 !== undefined && { token68 }), parameters: new Map() })
    } else {
      malformed = true
      at = start
      text()
    }
  }
}

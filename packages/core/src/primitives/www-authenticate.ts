/** One challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1). */
export interface Challenge {
  /** As it was sent; schemes are compared without case (RFC 9110 section 11.1). */
  readonly scheme: string
  readonly token68?: string
  /** By name in lower case, with every value in the order sent: servers repeat parameters that may not be repeated. */
  readonly parameters: ReadonlyMap<string, readonly string[]>
}

type Draft = { readonly scheme: string; token68?: string; readonly parameters: Map<string, string[]> }

// Single classes without alternatives: they cannot backtrack, so the parser takes linear time.
const SPACE = /[ \t\r\n]*/y
const SEPARATOR = /[ \t\r\n,]*/y
const TOKEN = /[\w!#$%&'*+\-.^`|~]*/y
const TOKEN68 = /[\w\-.~+/]*=*/y
const WORD = /[^ \t\r\n,]*/y

const isToken = (word: string): boolean => {
  TOKEN.lastIndex = 0
  return word !== '' && TOKEN.exec(word)?.[0] === word
}

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

  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at
    const text = pattern.exec(header)?.[0] ?? ''
    at += text.length
    return text
  }
  const elementEnds = () => at >= header.length || header[at] === ','

  const quoted = (): string | undefined => {
    const start = at
    let text = ''
    for (at++; at < header.length; at++) {
      if (header[at] === '"') {
        at++
        return text
      }
      if (header[at] === '\\') at++
      text += header[at] ?? ''
    }
    malformed = true
    at = start + 1
    return undefined
  }

  const unquoted = (): string => {
    const start = at
    if (!isToken(take(WORD))) malformed = true
    let end = at
    // Words up to the comma belong to the value, unless they begin the next parameter.
    while (take(SPACE) !== '' && !elementEnds()) {
      const word = at
      take(TOKEN)
      take(SPACE)
      if (header[at] === '=') break
      at = word
      take(WORD)
      end = at
      malformed = true
    }
    at = end
    return header.slice(start, end)
  }

  // In values alone: elsewhere a run of apostrophes is one token, and read again for each of them it would take quadratic time.
  const singleQuoted = (): string | undefined => {
    const close = header[at] === "'" ? header.indexOf("'", at + 1) : -1
    if (close < 0) return undefined
    malformed = true
    const text = header.slice(at + 1, close)
    at = close + 1
    return text
  }

  const value = (): string => (header[at] === '"' ? quoted() : undefined) ?? unquoted()

  for (let separated = true; ; separated = false) {
    if (take(SEPARATOR).includes(',')) separated = true
    if (at >= header.length) return { challenges, malformed }
    const start = at
    const name = take(TOKEN)
    const current = challenges.at(-1)
    const spaced = take(SPACE) !== ''
    if (name !== '' && header[at] === '=') {
      at++
      take(SPACE)
      const text = singleQuoted() ?? value()
      const values = current?.parameters.get(name.toLowerCase())
      if (values) values.push(text)
      else current?.parameters.set(name.toLowerCase(), [text])
      // Only the first parameter follows its scheme without a comma.
      const first = current?.parameters.size === 1 && values === undefined
      if (current === undefined || current.token68 !== undefined || !(separated || first)) malformed = true
    } else if (name !== '' && separated && (spaced || elementEnds())) {
      const challenge: Draft = { scheme: name, parameters: new Map() }
      challenges.push(challenge)
      const credentials = at
      const token68 = take(TOKEN68)
      take(SPACE)
      if (token68 !== '' && elementEnds()) challenge.token68 = token68
      else at = credentials
    } else {
      malformed = true
      at = start
      value()
    }
  }
}

import { publicUrl, quoteForeign } from '../errors/text.js'
import { type Challenge, parseWwwAuthenticate } from '../primitives/www-authenticate.js'
import type { Tolerated } from './parsed.js'

/** What a protected resource says when it asks for a token (RFC 6750 section 3, RFC 9728 section 5.1, RFC 9449 section 7.1). */
export interface BearerChallenge {
  /** `undefined`: the response has no challenge that OAuth can answer. */
  readonly scheme: 'Bearer' | 'DPoP' | undefined
  /** Absolute http or https URLs, distinct, in the order sent; more than one only where the server repeats the parameter. */
  readonly resource_metadata: readonly string[]
  readonly scope?: string
  readonly error?: string
  readonly error_description?: string
  readonly tolerated: readonly Tolerated[]
}

const valuesOf = (challenges: readonly Challenge[], name: string): readonly string[] =>
  challenges.flatMap(({ parameters }) => parameters.get(name) ?? []).filter((value) => value !== '')

const isHttpUrl = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)

/**
 * Reads the challenge that OAuth can answer out of a `WWW-Authenticate` header: Bearer among all challenges, else DPoP.
 *
 * @param header - as `Headers.get` gives it; `null` is a server that sends none (A01)
 */
export function readBearerChallenge(header: string | null): BearerChallenge {
  const { challenges, malformed } = parseWwwAuthenticate(header ?? '')
  const tolerated: Tolerated[] = []
  const note = (code: Tolerated['code'], expected: string, received: string) =>
    tolerated.push({ code, expected, received: quoteForeign(received) })
  if (malformed) note('challenge_invalid', 'the grammar of RFC 9110 section 11.6.1', 'a header that departs from it')

  const of = (scheme: string) => challenges.filter((challenge) => challenge.scheme.toLowerCase() === scheme)
  const bearer = of('bearer')
  const dpop = of('dpop')
  const chosen = bearer.length > 0 ? bearer : dpop
  if (chosen.length === 0) {
    const received = challenges.map(({ scheme }) => scheme).join(', ')
    note('challenge_missing', 'a Bearer challenge in WWW-Authenticate', received || 'nothing')
  }
  for (const { parameters } of chosen) {
    for (const [name, values] of parameters) {
      if (values.length > 1) note('challenge_parameter_repeated', `${name} once`, `${values.length} times`)
    }
  }

  const resource_metadata = new Set<string>()
  // Any scheme may carry it, so a bare Bearer challenge beside a full DPoP one costs nothing.
  const own = valuesOf(chosen, 'resource_metadata')
  for (const url of own.length > 0 ? own : valuesOf(dpop, 'resource_metadata')) {
    if (isHttpUrl(url)) resource_metadata.add(url.trim())
    else note('resource_metadata_url_invalid', 'an absolute http(s) URL', publicUrl(url))
  }
  const found: Record<string, string> = {}
  for (const name of ['scope', 'error', 'error_description']) {
    const value = valuesOf(chosen, name)[0]
    if (value !== undefined) found[name] = value
  }
  const scheme = chosen.length === 0 ? undefined : chosen === bearer ? 'Bearer' : 'DPoP'
  return { scheme, resource_metadata: [...resource_metadata], ...found, tolerated }
}

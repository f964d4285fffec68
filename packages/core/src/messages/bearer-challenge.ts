import { publicUrl, quoteForeign } from '../errors/text.js'
import { defined } from '../primitives/defined.js'
import { parseUrl } from '../primitives/parse-url.js'
import { type Challenge, parseWwwAuthenticate } from '../primitives/www-authenticate.js'
import type { Tolerated } from './parsed.js'

/** What a protected resource says when it asks for a token (RFC 6750 section 3, RFC 9728 section 5.1, RFC 9449 section 7.1). */
export interface BearerChallenge {
  /** Absolute http or https URLs, distinct, in the order sent; more than one only where the server repeats the parameter. */
  readonly resource_metadata: readonly string[]
  readonly scope?: string
  readonly error?: string
  readonly error_description?: string
  /** Whether it takes tokens that are bound to a key (RFC 9449 section 7.1): none but those, or those too. */
  readonly dpop?: 'required' | 'offered'
  readonly tolerated: readonly Tolerated[]
}

const valuesOf = (challenges: readonly Challenge[], name: string): readonly string[] =>
  challenges.flatMap(({ parameters }) => parameters.get(name) ?? []).filter(Boolean)

/**
 * Reads the challenge that OAuth can answer out of a `WWW-Authenticate` header: Bearer among all challenges, else DPoP.
 *
 * @param header - as `Headers.get` gives it; `null` is a server that sends none
 */
export function readBearerChallenge(header: string | null): BearerChallenge {
  const { challenges, malformed } = parseWwwAuthenticate(header ?? '')
  const tolerated: Tolerated[] = []
  const note = (code: Tolerated['code'], expected: string, received: string) =>
    tolerated.push({ code, expected, received: quoteForeign(received) })
  if (malformed) note('challenge_invalid', 'the grammar of RFC 9110', 'another')

  const of = (scheme: string) => challenges.filter((challenge) => challenge.scheme.toLowerCase() === scheme)
  const bearer = of('bearer')
  const dpop = of('dpop')
  const [chosen, other] = bearer.length > 0 ? ([bearer, 'offered'] as const) : ([dpop, 'required'] as const)
  if (chosen.length === 0) {
    note('challenge_missing', 'Bearer', challenges.map(({ scheme }) => scheme).join(', ') || 'nothing')
  }
  for (const { parameters } of chosen) {
    for (const [name, values] of parameters) {
      if (values.length > 1) note('challenge_parameter_repeated', `${name} once`, `${values.length} times`)
    }
  }

  const [scope] = valuesOf(chosen, 'scope')
  const [error] = valuesOf(chosen, 'error')
  const [error_description] = valuesOf(chosen, 'error_description')
  // Any scheme may carry it, so a bare Bearer challenge beside a full DPoP one costs nothing.
  const [urls = []] = [chosen, dpop].map((of) => valuesOf(of, 'resource_metadata')).filter(({ length }) => length > 0)
  const resource_metadata = new Set<string>()
  for (const url of urls) {
    if (/^https?:$/.test(parseUrl(url)?.protocol ?? '')) resource_metadata.add(url.trim())
    else note('resource_metadata_url_invalid', 'an absolute http(s) URL', publicUrl(url))
  }
  const takes = dpop.length > 0 ? other : undefined
  const said = defined({ scope, error, error_description, dpop: takes })
  return { resource_metadata: [...resource_metadata], ...said, tolerated }
}

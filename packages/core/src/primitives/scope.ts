/**
 * The distinct scope tokens of a `scope` value, in the order given (RFC 6749 section 3.3).
 * Commas separate too: GitHub answers `gist,notifications`.
 */
export const parseScope = (scope: string | undefined): readonly string[] => [
  ...new Set(scope?.split(/[\s,]+/).filter(Boolean)),
]

/** Every scope token of any of them as one `scope` value; `undefined` when there is none. */
export const unionScope = (...scopes: readonly (string | undefined)[]): string | undefined =>
  parseScope(scopes.join(' ')).join(' ') || undefined

/** The tokens of `asked` that `had` lacks, in the order asked. */
export function addedScope(had: string | undefined, asked: string | undefined): readonly string[] {
  const held = parseScope(had)
  return parseScope(asked).filter((token) => !held.includes(token))
}

/** Whether every token of `wanted` is among those of `held`. The order has no meaning (RFC 6749 section 3.3). */
export const includesScope = (held: string | undefined, wanted: string | undefined): boolean =>
  addedScope(held, wanted).length === 0

import type { Parsed, Tolerated } from '../../../packages/core/src/messages/parsed.js'

/** The value of a document that must be readable. */
export function mustRead<T>(parsed: Parsed<T>): T {
  if ('value' in parsed) return parsed.value
  throw new Error(`expected ${parsed.invalid.expected}, received ${parsed.invalid.received}`)
}

/** The codes of what was tolerated. */
export const codesOf = (parsed: { readonly tolerated: readonly Tolerated[] } | object): readonly string[] =>
  'tolerated' in parsed ? parsed.tolerated.map(({ code }) => code) : ['invalid']

import type { DiagnosticCode } from '../ports/log.js'

/** A deviation that was read as it was meant. Carries no value that could be secret. */
export interface Tolerated {
  readonly code: DiagnosticCode
  readonly expected: string
  readonly received: string
}

/** Why a document cannot be used, in the words of an error's `expected` and `received`. */
export interface Invalid {
  readonly expected: string
  readonly received: string
}

/** A document that was read, or why it cannot be. */
export type Parsed<T> = { readonly value: T; readonly tolerated: readonly Tolerated[] } | { readonly invalid: Invalid }

/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The invalid side of `Parsed`. */
export const refuse = (expected: string, received: string): { readonly invalid: Invalid } => ({
  invalid: { expected, received },
})

/** What kind of value this is, in words that do not give the value away. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return 'an array'
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}

/** Whether this is a string with something in it. */
export const isFilled = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** The JSON object that `text` is, whatever media type it came with (B06, F11). */
export function parseJsonObject(text: string): Parsed<JsonObject> {
  const expected = 'a JSON object'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Only markup is quoted: other text may be, or hold, a token.
    const markup = /^\s*(<!doctype|<html|<\?xml)/i.exec(text)?.[1]
    if (markup !== undefined) return refuse(expected, `text/html-looking text starting "${markup}"`)
    return refuse(expected, text.trim() === '' ? 'nothing' : 'text that is not JSON')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { value: value as JsonObject, tolerated: [] }
  }
  return refuse(expected, `JSON ${kindOf(value).replace(/^an? /, '')}`)
}

/** The members of a form-encoded text; `undefined` where it does not look like one. */
export const parseForm = (text: string): JsonObject | undefined =>
  /^\s*\w+=/.test(text) ? Object.fromEntries(new URLSearchParams(text.trim())) : undefined

interface Kinds {
  readonly string: string
  /** A space-separated string, or an array of strings in its place. */
  readonly scope: string
  readonly list: readonly string[]
  readonly boolean: boolean
}

function readAs(kind: keyof Kinds, value: unknown): unknown {
  if (Array.isArray(value)) {
    const strings = value.every(isFilled) ? value : value.filter(isFilled)
    if (kind === 'list') return strings
    return kind === 'scope' ? strings.join(' ') || undefined : undefined
  }
  return value !== '' && typeof value === (kind === 'scope' ? 'string' : kind) ? value : undefined
}

/**
 * The optional members that `kinds` names. What is null or empty (D04, F10) or of another kind (C16) counts as absent and
 * is noted in `tolerated`; of a list, what is no string is left out.
 */
export function optionalMembers<const T extends Readonly<Record<string, keyof Kinds>>>(
  object: JsonObject,
  kinds: T,
  tolerated: Tolerated[],
): { readonly [Name in keyof T]?: Kinds[T[Name]] } {
  const found: Record<string, unknown> = {}
  for (const [name, kind] of Object.entries(kinds)) {
    const value = object[name]
    if (value === undefined) continue
    const usable = readAs(kind, value)
    if (usable !== undefined) found[name] = usable
    if (usable === value) continue
    const code = value === null || value === '' ? 'null_member' : 'member_invalid'
    tolerated.push({ code, expected: `${name}: ${kind}, or no such member`, received: kindOf(value) })
  }
  return found as { readonly [Name in keyof T]?: Kinds[T[Name]] }
}

/**
 * An optional number of seconds, which servers also write as a string. Negative, null and garbage count as absent; whatever
 * is not a number is noted under `code`.
 */
export function optionalSeconds(
  object: JsonObject,
  name: string,
  code: DiagnosticCode,
  tolerated: Tolerated[],
): number | undefined {
  const value = object[name]
  if (value === undefined) return undefined
  const seconds = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
  const usable = typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0
  if (!usable || seconds !== value) {
    tolerated.push({ code, expected: `${name}: number of seconds`, received: kindOf(value) })
  }
  return usable ? seconds : undefined
}

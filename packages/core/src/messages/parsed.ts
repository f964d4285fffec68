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
  if (value === null || value === '') return JSON.stringify(value)
  return Array.isArray(value) ? 'array' : typeof value
}

/** Whether this is a string with something in it. */
export const isFilled = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** The JSON object that `text` is, whatever media type it came with. What is none is not quoted: it may be a token. */
export function parseJsonObject(text: string): Parsed<JsonObject> {
  const expected = 'a JSON object'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const other = /^\s*</.test(text) ? 'markup' : 'text that is not JSON'
    return refuse(expected, text.trim() === '' ? 'nothing' : other)
  }
  return kindOf(value) === 'object' ? { value: value as JsonObject, tolerated: [] } : refuse(expected, kindOf(value))
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
  /** Not negative; servers also write it as a string. */
  readonly seconds: number
}

/** Members by name, and the kind of each. */
type Members = Readonly<Record<string, keyof Kinds>>

type Read<T extends Members> = { readonly [Name in keyof T]?: Kinds[T[Name]] }

const SECONDS = /^\d{1,12}(\.\d+)?$/

function readAs(kind: keyof Kinds, value: unknown): unknown {
  if (Array.isArray(value)) {
    const strings = value.every(isFilled) ? value : value.filter(isFilled)
    if (kind === 'list') return strings
    return kind === 'scope' ? strings.join(' ') || undefined : undefined
  }
  // More digits are no time that a clock could show.
  if (kind === 'seconds') return typeof value !== 'object' && SECONDS.test(String(value)) ? Number(value) : undefined
  return value !== '' && typeof value === (kind === 'scope' ? 'string' : kind) ? value : undefined
}

/**
 * The optional members that `kinds` names. What is null or empty or of another kind counts as absent, and is noted in
 * `tolerated` like what had to be converted; of a list, what is no string is left out.
 */
export function optionalMembers<const T extends Members>(
  object: JsonObject,
  kinds: T,
  tolerated: Tolerated[],
): Read<T> {
  const found: Record<string, unknown> = {}
  for (const [name, kind] of Object.entries(kinds)) {
    const value = object[name]
    if (value === undefined) continue
    const usable = readAs(kind, value)
    if (usable !== undefined) found[name] = usable
    if (usable === value) continue
    const empty = value === null || value === ''
    const code = name === 'expires_in' ? 'expires_in_not_a_number' : empty ? 'null_member' : 'member_invalid'
    tolerated.push({ code, expected: `${name}: ${kind}`, received: kindOf(value) })
  }
  return found as Read<T>
}

/** Reads the one member that a document cannot do without, a string, and the optional ones that `kinds` names. */
export function readDocument<const Name extends string, const T extends Members>(
  body: Parsed<JsonObject>,
  required: Name,
  kinds: T,
): Parsed<Read<T> & { readonly [R in Name]: string }> {
  if ('invalid' in body) return body
  const value = body.value[required]
  if (!isFilled(value)) return refuse(`${required}: a string`, kindOf(value))
  const tolerated = [...body.tolerated]
  const optional = optionalMembers(body.value, kinds, tolerated)
  return { value: { ...optional, [required]: value } as Read<T> & { readonly [R in Name]: string }, tolerated }
}

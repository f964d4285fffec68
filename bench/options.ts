import { parseArgs } from 'node:util'

/** What the bench was asked for. */
export interface Options {
  /** An array of rows on stdout, and nothing else there. */
  readonly json: boolean
  /** Only what does not depend on the machine, and exit 1 if a row of it misses its target. */
  readonly check: boolean
  /** Only rows whose name it matches. */
  readonly only: RegExp | undefined
}

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean' }, check: { type: 'boolean' }, only: { type: 'string' } },
  })
  return {
    json: values.json ?? false,
    check: values.check ?? false,
    only: values.only === undefined ? undefined : new RegExp(values.only, 'i'),
  }
}

import { parseArgs } from 'node:util'

/** What the bench was asked for. */
export interface Options {
  /** An array of rows on stdout, and nothing else there. */
  readonly json: boolean
  /** Only our own counts and sizes, which no machine changes, and exit 1 if one of them misses its target. */
  readonly check: boolean
  /** Only rows whose name it matches. */
  readonly only: RegExp
}

export const usage = 'pnpm bench [--json] [--check] [--only <regular expression over the names of rows>]'

/** @returns undefined for what makes no sense */
export function parseOptions(args: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, check: { type: 'boolean' }, only: { type: 'string' } },
    })
    return { json: values.json ?? false, check: values.check ?? false, only: new RegExp(values.only ?? '', 'i') }
  } catch (error) {
    // An unknown option, or an expression that is none.
    if (error instanceof TypeError || error instanceof SyntaxError) return undefined
    throw error
  }
}

import { parseArgs } from 'node:util'

/** How the demo was asked to run. */
export interface DemoOptions {
  /** A real browser and a real person, instead of the scripted one. */
  readonly browser: boolean
  /** One JSON object a line. */
  readonly json: boolean
}

export type Command =
  | { readonly kind: 'run'; readonly options: DemoOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'not_understood'; readonly complaint: string }

export const help = `Usage: npx pnpm demo [options]

Starts an authorization server and a protected MCP server on this machine, and runs the MCP SDK's own
client against them through Countersign: sign-in, tool call, expiry and refresh, sign-out. Every step
is checked.

  --browser   open the login page in your own browser, instead of the scripted person's
  --json      print one JSON object a line, for machines (npx pnpm --silent demo --json)
  --help      print this text

Exit code: 0 when every step did what it says, 1 when one did not, 2 for options that are not understood.
`

/** Reads the command line. */
export function readCommand(args: readonly string[]): Command {
  // Some shells and package managers pass the separator on.
  const own = args[0] === '--' ? args.slice(1) : [...args]
  try {
    const { values } = parseArgs({
      args: own,
      options: { browser: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help) return { kind: 'help' }
    return { kind: 'run', options: { browser: values.browser ?? false, json: values.json ?? false } }
  } catch (error) {
    // The rest of Node's sentence is about separators, which do not help here.
    const [complaint = ''] = (error instanceof Error ? error.message : String(error)).split('. ')
    return { kind: 'not_understood', complaint: complaint.replace(/\.$/, '') }
  }
}

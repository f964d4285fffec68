import { parseArgs } from 'node:util'

/** How the demo was asked to run. */
export interface DemoOptions {
  /** A real browser and a real person, instead of the scripted one. */
  readonly browser: boolean
  /** Without a browser on this machine: the person enters a code elsewhere. */
  readonly headless: boolean
  /** One JSON object a line. */
  readonly json: boolean
}

/** How the demo was asked to visit a server that it did not start. */
export interface VisitOptions {
  readonly url: string
  readonly json: boolean
  /** The only tool that is called, and only where it is named. */
  readonly tool?: { readonly name: string; readonly args?: Readonly<Record<string, unknown>> }
}

export type Command =
  | { readonly kind: 'run'; readonly options: DemoOptions }
  | { readonly kind: 'visit'; readonly options: VisitOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'not_understood'; readonly complaint: string }

export const help = `Usage: npx pnpm demo [options]

Starts an authorization server and a protected MCP server on this machine, and runs the MCP SDKs' own
clients against them through Countersign: sign-in, tool call, expiry and refresh, another client,
sign-out. Every step is checked.

  --browser   open the login page in your own browser, instead of the scripted person's
  --headless  sign in without a browser: by a code that the scripted person enters elsewhere
  --json      print one JSON object a line, for machines (npx pnpm --silent demo --json)
  --help      print this text

With --url it visits any MCP server instead: signs in with your browser, lists the tools, refreshes,
signs out. What the server does not have is printed as "not offered".

  --url <url>         the MCP server
  --tool <name>       call this tool; without it none is called
  --arguments <json>  the tool's arguments, a JSON object

Exit code: 0 when every step did what it says, 1 when one did not, 2 for options that are not understood.
`

const options = {
  browser: { type: 'boolean' },
  headless: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  url: { type: 'string' },
  tool: { type: 'string' },
  arguments: { type: 'string' },
} as const

/** Reads the command line. */
export function readCommand(args: readonly string[]): Command {
  // Some shells and package managers pass the separator on.
  const own = args[0] === '--' ? args.slice(1) : [...args]
  try {
    const { values } = parseArgs({ args: own, options })
    const { url, tool, arguments: text, browser = false, headless = false, json = false, help } = values
    if (help) return { kind: 'help' }
    if (headless && (browser || url !== undefined)) {
      return notUnderstood(`Option '--headless' does not go with '--${browser ? 'browser' : 'url'}'`)
    }
    if (text !== undefined && tool === undefined) return notUnderstood("Option '--arguments' is for a '--tool'")
    if (url === undefined) {
      if (tool !== undefined) return notUnderstood("Option '--tool' is for a '--url'")
      return { kind: 'run', options: { browser, headless, json } }
    }
    // Not repeated: its query may be a secret.
    if (!isServerUrl(url)) return notUnderstood("Option '--url' takes an http(s) URL without user information")
    const toolArgs = text === undefined ? undefined : jsonObject(text)
    if (text !== undefined && toolArgs === undefined) return notUnderstood("Option '--arguments' takes a JSON object")
    return {
      kind: 'visit',
      options: { url, json, ...(tool !== undefined && { tool: { name: tool, ...(toolArgs && { args: toolArgs }) } }) },
    }
  } catch (error) {
    // The rest of Node's sentence is about separators, which do not help here.
    const [complaint = ''] = (error instanceof Error ? error.message : String(error)).split('. ')
    return notUnderstood(complaint.replace(/\.$/, ''))
  }
}

const notUnderstood = (complaint: string): Command => ({ kind: 'not_understood', complaint })

function isServerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && username === '' && password === ''
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

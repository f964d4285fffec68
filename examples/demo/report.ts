/** A server of the demo, as its lines name it. */
export type Side = 'mcp' | 'as'

/** One thing that the demo says. The same objects make the readable lines and the JSON ones. */
export type Line =
  | Part
  | { readonly type: 'phase'; readonly number: number; readonly title: string }
  | Exchange
  /** An event of the connector's own log. */
  | { readonly type: 'event'; readonly atMs: number; readonly event: string; readonly text: string }
  | Deviation
  /** What happened outside the connector: the person, the clock, the demo's own probes. */
  | { readonly type: 'note'; readonly atMs: number; readonly about: string; readonly text: string }
  | Check
  /** What a server does not have, and the demo therefore does not do. */
  | { readonly type: 'not_offered'; readonly what: string; readonly why: string }
  | { readonly type: 'error'; readonly code?: string; readonly message: string }
  | { readonly type: 'summary'; readonly ok: boolean; readonly checks: number; readonly durationMs: number }

/** Something that plays in the demo. */
export interface Part {
  readonly type: 'part'
  readonly name: Side | 'host'
  readonly where: string
  readonly what: string
}

/** One HTTP request and the status of its answer. */
export interface Exchange {
  readonly type: 'exchange'
  /** When the answer came, in milliseconds since the demo began. */
  readonly atMs: number
  readonly by: 'connector' | 'client' | 'demo'
  /** The step of the flow, or the JSON-RPC method. */
  readonly step: string
  readonly method: string
  readonly to: Side
  /** Without query. */
  readonly url: string
  /** On requests to the MCP server: whether they carried a token. */
  readonly authorization?: 'token' | 'bare'
  /** Absent where no answer came. */
  readonly status?: number
  readonly durationMs?: number
}

/** A tolerated deviation, as the connector names it. */
export interface Deviation {
  readonly type: 'diagnostic'
  readonly atMs: number
  readonly code: string
  readonly url: string
  readonly expected: string
  readonly received: string
}

/** What a step was to do, and whether it did. */
export interface Check {
  readonly type: 'check'
  readonly ok: boolean
  readonly what: string
  readonly expected: unknown
  readonly received: unknown
}

/** Where the lines go. */
export type Report = (line: Line) => void

/** Milliseconds since the demo began. */
export function createStopwatch(): () => number {
  const began = performance.now()
  return () => Math.round(performance.now() - began)
}

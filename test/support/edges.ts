/** States and events by a name that says what is special about them. */
export type Named<T> = Readonly<Record<string, T>>

/** Every change of state that a machine makes, one line each: `state | event | next`, in columns. */
export function edgeTable<S extends { readonly phase: string }, E>(
  states: Named<S>,
  events: Named<E>,
  transition: (state: S, event: E) => S,
  describe: (next: S) => string = (next) => next.phase,
): string {
  const rows = Object.entries(states).flatMap(([state, s]) =>
    Object.entries(events).flatMap(([event, e]) => {
      const next = transition(s, e)
      return next === s ? [] : [[state, event, describe(next)]]
    }),
  )
  return table(rows)
}

/** Columns, padded to their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join(' | ')
        .trimEnd(),
    )
    .join('\n')
}

/** A table written into a test: the indentation of its first line is not part of it. */
export function written(text: string): string {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n')
  const indent = /^ */.exec(lines[0] ?? '')?.[0].length ?? 0
  return lines.map((line) => line.slice(indent).trimEnd()).join('\n')
}

/** The phases that a machine gets to from `start`, through these states and events. */
export function reachable<S extends { readonly phase: string }, E>(
  states: Named<S>,
  events: Named<E>,
  transition: (state: S, event: E) => S,
  start: string,
): readonly string[] {
  const seen = new Set([start])
  for (let before = 0; before !== seen.size; ) {
    before = seen.size
    for (const s of Object.values(states)) {
      if (!seen.has(s.phase)) continue
      for (const e of Object.values(events)) seen.add(transition(s, e).phase)
    }
  }
  return [...seen].sort()
}

import { type Figure, peerNames } from './row.js'
import { rounded } from './statistics.js'

const heads = ['', 'unit', 'ours', ...peerNames, 'at most', 'met', 'two benches'] as const

/** The figures as a table for a person, what is to be said of a figure beneath it. */
export function table(figures: readonly Figure[]): string {
  const lines = figures.map((figure) => ({ cells: cellsOf(figure), note: figure.note }))
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map(({ cells }) => cells[column]?.length ?? 0)),
  )
  const aligned = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [
    aligned(heads),
    rule,
    ...lines.flatMap(({ cells, note }) => (note === undefined ? [aligned(cells)] : [aligned(cells), `    ${note}`])),
  ].join('\n')
}

function cellsOf({ name, unit, ours, peers, target, met, benches }: Figure): readonly string[] {
  return [
    name,
    unit,
    shown(ours),
    ...peerNames.map((peer) => shown(peers[peer])),
    shown(target),
    met === null ? '' : met ? 'yes' : 'MISSED',
    benches === undefined ? '' : benches.map(shown).join(' / '),
  ]
}

const shown = (value: number | null): string => (value === null ? '-' : String(rounded(value)))

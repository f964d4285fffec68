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
    ...lines.flatMap(({ cells, note }) => [aligned(cells), ...wrapped(note ?? '').map((line) => `    ${line}`)]),
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

/** A note in lines of at most a hundred characters. */
function wrapped(note: string): readonly string[] {
  const lines: string[] = []
  for (const word of note.split(' ').filter((part) => part !== '')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < 100) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

const shown = (value: number | null): string => (value === null ? '-' : String(rounded(value)))

import type { Check, Exchange, Line, Report } from './report.js'

type Colour = 'bold' | 'dim' | 'green' | 'red' | 'yellow'
type Paint = (colour: Colour, text: string) => string

const codes: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, green: 32, red: 31, yellow: 33 }
const start = String.fromCharCode(27)

/** Where the texts begin, and how wide they may be. */
const INDENT = 30
const TEXT_WIDTH = 80

/** Lines for a person: aligned, and readable without colour. */
export function textReport(write: (text: string) => void, colour: boolean): Report {
  const paint: Paint = (name, text) => (colour ? `${start}[${codes[name]}m${text}${start}[0m` : text)
  let before: Line['type'] | undefined
  return (line) => {
    write(`${gap(before, line.type)}${rendered(line, paint)}\n`)
    before = line.type
  }
}

/** Blocks are set apart by one empty line: phases from each other, and what happened from what was checked. */
function gap(before: Line['type'] | undefined, now: Line['type']): string {
  if (before === undefined) return ''
  const moves = before === 'phase' || (judges(now) && !judges(before)) || now === 'phase' || now === 'summary'
  return moves || now === 'error' ? '\n' : ''
}

const judges = (type: Line['type']): boolean => type === 'check' || type === 'not_offered'

function rendered(line: Line, paint: Paint): string {
  switch (line.type) {
    case 'part':
      return `  ${line.name.padEnd(4)}  ${line.where.padEnd(26)}  ${line.what}`
    case 'phase':
      return paint('bold', `${line.number}. ${line.title}`)
    case 'exchange':
      return exchange(line, paint)
    case 'event':
      return paint('dim', said(line.atMs, line.event, line.text))
    case 'diagnostic':
      return paint('yellow', said(line.atMs, 'diagnostic', `${line.code}: ${line.received}`))
    case 'note':
      return said(line.atMs, line.about, line.text)
    case 'check':
      return check(line, paint)
    case 'not_offered':
      return `  ${paint('yellow', 'not offered')}  ${line.what}: ${line.why}`
    case 'error':
      return `  ${paint('red', 'FAILED')}  ${line.message}`
    case 'summary':
      return summary(line, paint)
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

/** Longer texts go on under themselves. */
function said(atMs: number, about: string, text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== '' && `${line} ${word}`.length > TEXT_WIDTH) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return row(atMs, about, lines.join(`\n${' '.repeat(INDENT)}`))
}

const row = (atMs: number, about: string, text: string): string =>
  `  ${seconds(atMs).padStart(7)}  ${about.padEnd(17)}  ${text}`

function exchange(line: Exchange, paint: Paint): string {
  const { pathname } = new URL(line.url)
  const where = `${line.method.padEnd(4)} ${line.to.padEnd(3)} ${pathname.padEnd(41)}`
  const { status } = line
  const shown = paint(status !== undefined && status < 400 ? 'green' : 'yellow', String(status ?? '---'))
  const took = line.durationMs === undefined ? '' : `${line.durationMs} ms`.padStart(7)
  return `${row(line.atMs, line.step, where)}  ${(line.authorization ?? '').padEnd(5)}  ${shown} ${took}`.trimEnd()
}

function check({ ok, what, expected, received }: Check, paint: Paint): string {
  if (ok) return `  ${paint('green', 'ok')}  ${what}: ${shortly(received)}`
  return [
    `  ${paint('red', 'FAILED')}  ${what}`,
    `          expected  ${shortly(expected)}`,
    `          received  ${shortly(received)}`,
  ].join('\n')
}

function summary({ ok, checks, durationMs }: Extract<Line, { type: 'summary' }>, paint: Paint): string {
  const counted = `${checks} ${checks === 1 ? 'check' : 'checks'} passed in ${seconds(durationMs)}`
  return ok ? `${paint('green', 'Done')}: ${counted}.` : `${paint('red', 'Not done')}: ${counted}, then a step failed.`
}

/** A value of a check, in one line. */
function shortly(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) {
    const [first, ...more] = value.map(shortly)
    if (first === undefined) return 'none'
    return more.length > 1 && more.every((one) => one === first)
      ? `${value.length} x ${first}`
      : [first, ...more].join(', ')
  }
  return JSON.stringify(value) ?? 'nothing'
}

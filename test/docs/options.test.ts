import { describe, expect, it } from 'vitest'
import { read } from './support.js'

const source = await read('packages/core/src/flow/options.ts')
const page = await read('docs/options.md')

/** The members of an interface of the options. */
function membersOf(name: string): readonly string[] {
  const [, body = ''] = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(source) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, member = '']) => member)
}

/** The first cells of the table below a heading. */
function rowsOf(heading: string): readonly string[] {
  const [, section = ''] = new RegExp(`^## ${heading}\\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(page) ?? []
  return [...section.matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, member = '']) => member),
  )
}

describe('docs/options.md', () => {
  it.each([
    ['Of a connector', 'ConnectorOptions'],
    ['Of one server', 'ServerOptions'],
    ['Of a client', 'ClientOptions'],
    ['Compatibility', 'Compatibility'],
  ])('%s: lists every member of %s, in its order', (heading, name) => {
    const members = membersOf(name)
    expect(members.length).toBeGreaterThan(3)
    expect(rowsOf(heading)).toEqual(members)
  })
})

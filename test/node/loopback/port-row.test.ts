import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { portRow } from '../../../packages/node/src/loopback/port-row.js'

const seed = { home: '/home/ada', user: 'ada', host: 'engine' }

describe('the row of ports of an install', () => {
  it('is the same every time', () => {
    expect(portRow(seed)).toEqual(portRow({ ...seed }))
    expect(portRow()).toEqual(portRow())
  })

  it('does not change between releases, because registrations name it', () => {
    expect(portRow(seed)).toMatchInlineSnapshot(`
      [
        51517,
        59463,
        52774,
        57255,
      ]
    `)
  })

  it('differs by home directory, user and host', () => {
    const rows = [seed, { ...seed, home: '/root' }, { ...seed, user: 'bob' }, { ...seed, host: 'loom' }].map((s) =>
      portRow(s).join(),
    )
    expect(new Set(rows).size).toBe(4)
  })

  it('has four different ports of the dynamic range, whatever the seed', () => {
    fc.assert(
      fc.property(fc.record({ home: fc.string(), user: fc.string(), host: fc.string() }), (any) => {
        const row = portRow(any)
        expect(new Set(row).size).toBe(4)
        for (const port of row) expect(port >= 49_152 && port <= 65_535).toBe(true)
      }),
    )
  })
})

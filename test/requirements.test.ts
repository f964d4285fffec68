import { describe, expect, it } from 'vitest'
import { citations, citedIn } from './requirements/citations.js'
import { requirements } from './requirements/index.js'

const cited = citations()
const rows = [...requirements].map(([id, row]) => ({ id, ...row }))

describe('the register of requirements', () => {
  it('has no row that is neither declined in writing nor cited by a test', () => {
    const owed = rows.filter(({ declined }) => declined === undefined)
    expect(owed.map(({ id }) => id).filter((id) => !cited.has(id))).toEqual([])
  })

  it('has every row that a test cites', () => {
    expect([...cited].filter((id) => !requirements.has(id))).toEqual([])
  })
})

describe('the citations of a test file', () => {
  it('are the tags of its tests', () => {
    const text = "it('a', { tags: 'rfc/a' }, f)\ndescribe.each(b)('b', {\n  tags: ['rfc/b', 'rfc/c'],\n}, f)"
    expect(citedIn(text)).toEqual(['rfc/a', 'rfc/b', 'rfc/c'])
  })

  it('are not in comments, nor at tests that never run', () => {
    expect(citedIn("// it('a', { tags: 'rfc/a' }, f)\n/* tags: ['rfc/b'] */")).toEqual([])
    expect(citedIn("it.skip('a', { tags: 'rfc/a' }, f)\nit.todo('b', { tags: ['rfc/b'] })")).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addedScope, includesScope, parseScope, unionScope } from '../../../packages/core/src/primitives/scope.js'

const token = fc.stringMatching(/^[!#-+\--[\]-~]{1,8}$/)
const scope = fc.option(
  fc.array(token).map((tokens) => tokens.join(' ')),
  { nil: undefined },
)

describe('scope (RFC 6749 section 3.3)', () => {
  test('tokens keep their order and appear once', () => {
    expect(parseScope('write read  write')).toEqual(['write', 'read'])
  })

  test('absent and empty mean no token', () => {
    expect([parseScope(undefined), parseScope(''), parseScope(' ')]).toEqual([[], [], []])
  })

  test('commas separate tokens too (F17)', () => {
    expect(parseScope('gist,notifications, repo')).toEqual(['gist', 'notifications', 'repo'])
  })

  test('tokens are case-sensitive', () => {
    expect(includesScope('Read', 'read')).toBe(false)
  })

  test('a union of nothing is absent, so that no empty scope is sent', () => {
    expect(unionScope()).toBeUndefined()
    expect(unionScope(undefined, '')).toBeUndefined()
  })

  test('what a step-up adds', () => {
    expect(addedScope('mcp:basic', 'mcp:write mcp:basic')).toEqual(['mcp:write'])
    expect(addedScope(undefined, 'a b')).toEqual(['a', 'b'])
  })

  describe('laws', () => {
    test('parsing a union gives the tokens of all, first come first', () => {
      fc.assert(
        fc.property(scope, scope, (a, b) => {
          expect(parseScope(unionScope(a, b))).toEqual([...new Set([...parseScope(a), ...parseScope(b)])])
        }),
      )
    })

    test('a union includes its parts, and joining it again changes nothing', () => {
      fc.assert(
        fc.property(scope, scope, (a, b) => {
          const both = unionScope(a, b)
          expect(includesScope(both, a) && includesScope(both, b)).toBe(true)
          expect(unionScope(both, a, b)).toBe(both)
        }),
      )
    })

    test('nothing is added exactly where all is held', () => {
      fc.assert(
        fc.property(scope, scope, (had, asked) => {
          expect(addedScope(had, asked).length === 0).toBe(includesScope(had, asked))
          expect(includesScope(unionScope(had, addedScope(had, asked).join(' ')), asked)).toBe(true)
        }),
      )
    })
  })
})

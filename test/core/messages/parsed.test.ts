import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  optionalMembers,
  parseForm,
  parseJsonObject,
  type Tolerated,
} from '../../../packages/core/src/messages/parsed.js'
import { codesOf, mustRead } from './unwrap.js'

describe('a JSON object', () => {
  test.each([
    ['', 'nothing'],
    ['<!DOCTYPE html><title>Log in</title>', 'markup'],
    ['\n<html lang="en">', 'markup'],
    ['Forbidden', 'text that is not JSON'],
    ['{"a":', 'text that is not JSON'],
    ['[]', 'array'],
    ['null', 'null'],
    ['"text"', 'string'],
    ['""', '""'],
    ['1', 'number'],
  ])('is not %j: %s (B05)', (text, received) => {
    expect(parseJsonObject(text)).toEqual({ invalid: { expected: 'a JSON object', received } })
  })

  test('what is no JSON is never quoted: it may be a token', () => {
    expect(JSON.stringify(parseJsonObject('secret-token'))).not.toContain('secret')
    expect(JSON.stringify(parseJsonObject('<secret-token>'))).not.toContain('secret')
  })

  test('round-trips, and reading never throws', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object)
        expect(mustRead(parseJsonObject(text))).toEqual(JSON.parse(text))
      }),
    )
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseJsonObject(text)))
  })
})

describe('a form', () => {
  test('begins with a name', () => {
    expect(parseForm('access_token=a%20b&scope=c+d\n')).toEqual({ access_token: 'a b', scope: 'c d' })
  })

  test.each(['', '<a href="?access_token=x">', '{"a":"b=c"}', 'no form'])('%j is none', (text) => {
    expect(parseForm(text)).toBeUndefined()
  })
})

describe('optional members', () => {
  const read = (object: Readonly<Record<string, unknown>>) => {
    const tolerated: Tolerated[] = []
    const members = optionalMembers(
      object,
      { name: 'string', list: 'list', scope: 'scope', flag: 'boolean' } as const,
      tolerated,
    )
    return { members, tolerated }
  }

  test('of the right kind are taken, others than those named are not', () => {
    const object = { name: 'a', list: ['b'], scope: 'c', flag: false }
    expect(read({ ...object, more: 1 })).toEqual({ members: object, tolerated: [] })
  })

  test.each([null, ''])('%j counts as absent (D04)', (value) => {
    const { members, tolerated } = read({ name: value, list: value, scope: value, flag: value })
    expect(members).toEqual({})
    expect(codesOf({ tolerated })).toEqual(['null_member', 'null_member', 'null_member', 'null_member'])
  })

  test('of another kind count as absent (C16), without their value being told', () => {
    const { members, tolerated } = read({ name: ['secret'], list: 'secret', scope: { secret: 1 }, flag: 'secret' })
    expect(members).toEqual({})
    expect(codesOf({ tolerated })).toEqual(['member_invalid', 'member_invalid', 'member_invalid', 'member_invalid'])
    expect(JSON.stringify(tolerated)).not.toContain('secret')
  })

  test('a list keeps its strings', () => {
    const { members, tolerated } = read({ list: ['a', null, 1, '', 'b'] })
    expect(members).toEqual({ list: ['a', 'b'] })
    expect(codesOf({ tolerated })).toEqual(['member_invalid'])
  })

  test('an empty list is an empty list (B16)', () => {
    expect(read({ list: [] })).toEqual({ members: { list: [] }, tolerated: [] })
  })

  test('a scope in an array is joined', () => {
    const { members, tolerated } = read({ scope: ['a', 'b'] })
    expect(members).toEqual({ scope: 'a b' })
    expect(codesOf({ tolerated })).toEqual(['member_invalid'])
    expect(read({ scope: [] }).members).toEqual({})
  })
})

describe('seconds', () => {
  const read = (value: unknown) => {
    const tolerated: Tolerated[] = []
    return [optionalMembers({ value }, { value: 'seconds' }, tolerated).value, tolerated.length]
  }

  test.each([
    [undefined, undefined, 0],
    [3600, 3600, 0],
    [0, 0, 0],
    ['5250', 5250, 1],
    ['0', 0, 1],
    ['12.5', 12.5, 1],
    ['3600abc', undefined, 1],
    ['-1', undefined, 1],
    ['1e9', undefined, 1],
    ['', undefined, 1],
    [-1, undefined, 1],
    [null, undefined, 1],
    [true, undefined, 1],
    [Number.POSITIVE_INFINITY, undefined, 1],
  ])('%j is %j, with %d diagnostics (F06, F07)', (value, seconds, diagnostics) => {
    expect(read(value)).toEqual([seconds, diagnostics])
  })
})

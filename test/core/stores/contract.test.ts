import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore, type Store } from '@countersign/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileStore } from '../../support/file-store.js'

const directories: string[] = []
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true })
})
const stores: readonly (readonly [string, () => Promise<Store>])[] = [
  ['memory', async () => memoryStore()],
  [
    "the tests' files",
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'countersign-'))
      directories.push(directory)
      return fileStore(directory)
    },
  ],
]

describe.each(stores)('what core asks of a store: %s', (_name, make) => {
  let store: Store
  beforeEach(async () => {
    store = await make()
  })

  test('it has a name for people', () => {
    expect(store.name).not.toBe('')
  })

  test('what is not there is undefined', async () => {
    expect(await store.get('k')).toBeUndefined()
    expect(await store.keys('')).toEqual([])
  })

  test('a value is put where there is none, and only there', async () => {
    expect(await store.replace('k', undefined, 'one')).toBe(true)
    expect(await store.replace('k', undefined, 'two')).toBe(false)
    expect(await store.get('k')).toBe('one')
  })

  test('a value is replaced by who knows it, and by nobody else', async () => {
    await store.replace('k', undefined, 'one')
    expect(await store.replace('k', 'another', 'two')).toBe(false)
    expect(await store.replace('k', 'one', 'two')).toBe(true)
    expect(await store.get('k')).toBe('two')
  })

  test('a value is consumed once', async () => {
    await store.replace('k', undefined, 'one')
    const taken = await Promise.all([1, 2, 3].map(() => store.replace('k', 'one', undefined)))
    expect(taken.filter((done) => done)).toHaveLength(1)
    expect(await store.get('k')).toBeUndefined()
    expect(await store.keys('')).toEqual([])
  })

  test('of many who replace the same value, one wins', async () => {
    await store.replace('k', undefined, '0')
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => store.replace('k', '0', `by ${n}`)))
    expect(all.filter((done) => done)).toHaveLength(1)
    expect(await store.get('k')).toBe(`by ${all.indexOf(true)}`)
  })

  test('keys are found by how they begin', async () => {
    for (const key of ['app/grant/1', 'app/grant/2', 'app/attempt/1', 'other/grant/1']) {
      await store.replace(key, undefined, 'v')
    }
    expect([...(await store.keys('app/grant/'))].sort()).toEqual(['app/grant/1', 'app/grant/2'])
    expect(await store.keys('app/registration/')).toEqual([])
  })

  test.each(['', '{"a":1}', 'ü漢😀', 'line\nbreak\u0000', 'x'.repeat(100_000)])(
    'a value is any text (%#)',
    async (value) => {
      await store.replace('k', undefined, value)
      expect(await store.get('k')).toBe(value)
      expect(await store.replace('k', value, 'next')).toBe(true)
    },
  )

  test('what has expired is not there', async () => {
    await store.replace('k', undefined, 'v', { expiresAt: Date.now() - 1 })
    expect(await store.get('k')).toBeUndefined()
    expect(await store.keys('')).toEqual([])
    expect(await store.replace('k', undefined, 'w')).toBe(true)
  })
})

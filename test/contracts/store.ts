import type { Store } from '@countersign/core'
import { beforeEach, describe, expect, test } from 'vitest'

/** A place for records that is empty at first. Every call of `open` is another instance over the same records. */
export interface Place {
  open(): Store | Promise<Store>
}

export interface ContractOptions {
  /** How often the contention is repeated, each round with one winner. Default: 20. */
  readonly rounds?: number
  /** How many try at once. Default: 20. */
  readonly contenders?: number
}

const ODD_VALUES: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['JSON', '{"a":1}'],
  ['quotes and backslashes', `"'\\"\`$(x)%s`],
  ['letters of other scripts', 'ü漢😀'],
  ['half a surrogate pair', 'a\ud83db'],
  ['the other half, alone', '\ude00'],
  ['NUL', 'before\u0000after'],
  ['nothing but NUL', '\u0000'],
  ['lines', 'line\nbreak\r\n\u2028'],
  ['spaces around', ' \t '],
  ['what looks like a name of absence', 'undefined'],
  ['100 KB', 'x'.repeat(100_000)],
  ['100 KB that grows when it is escaped', '漢'.repeat(33_000)],
]

const HASH = 'q1ZvJx3y8zQ0yK4mV5d0o2bN7cT9wR6sE1hU-fL_gAI'
const ODD_KEYS: readonly string[] = [
  `com.example.agent/grant/${HASH}`,
  `com.example.agent/registration/${HASH}.${HASH}`,
  '../../etc/passwd',
  'a/./b//c/',
  `app with spaces, "quotes" and ünïcode/grant/${HASH}`,
  `${'long'.repeat(100)}/grant/${HASH}`,
  '__proto__',
  'constructor/prototype',
  'UPPER/case',
  'upper/case',
]

/** What core asks of every store. The suite of each store runs this, and adds what is its own. */
export function storeContract(name: string, make: () => Place | Promise<Place>, options: ContractOptions = {}): void {
  const { rounds = 20, contenders = 20 } = options

  describe(`what core asks of a store: ${name}`, () => {
    let place: Place
    let store: Store
    beforeEach(async () => {
      place = await make()
      store = await place.open()
    })
    const another = async (): Promise<Store> => place.open()

    test('it has a name for people', () => {
      expect(store.name).toMatch(/\w/)
    })

    test('what is not there is undefined', async () => {
      expect(await store.get('app/kind/k')).toBeUndefined()
      expect(await store.keys('')).toEqual([])
    })

    test('a value is put where there is none, and only there', async () => {
      expect(await store.replace('k', undefined, 'one')).toBe(true)
      expect(await store.replace('k', undefined, 'two')).toBe(false)
      expect(await store.get('k')).toBe('one')
    })

    test('a value is replaced by who knows it, and by nobody else', async () => {
      expect(await store.replace('k', 'one', 'two')).toBe(false)
      expect(await store.get('k')).toBeUndefined()
      await store.replace('k', undefined, 'one')
      expect(await store.replace('k', 'another', 'two')).toBe(false)
      expect(await store.replace('k', 'one', 'two')).toBe(true)
      expect(await store.get('k')).toBe('two')
    })

    test('absent can be expected and written on both sides', async () => {
      expect(await store.replace('k', undefined, undefined)).toBe(true)
      await store.replace('k', undefined, 'one')
      expect(await store.replace('k', undefined, undefined)).toBe(false)
      expect(await store.replace('k', 'another', undefined)).toBe(false)
      expect(await store.get('k')).toBe('one')
      expect(await store.replace('k', 'one', undefined)).toBe(true)
      expect(await store.get('k')).toBeUndefined()
      expect(await store.keys('')).toEqual([])
    })

    test('a value may be replaced by itself', async () => {
      await store.replace('k', undefined, 'one')
      expect(await store.replace('k', 'one', 'one')).toBe(true)
      expect(await store.get('k')).toBe('one')
    })

    test('what one instance writes, another reads, replaces and lists', async () => {
      const other = await another()
      await store.replace('k', undefined, 'one')
      expect(await other.get('k')).toBe('one')
      expect(await other.keys('')).toEqual(['k'])
      expect(await other.replace('k', 'one', 'two')).toBe(true)
      expect(await store.replace('k', 'one', 'three')).toBe(false)
      expect(await store.get('k')).toBe('two')
      expect(await store.replace('k', 'two', undefined)).toBe(true)
      expect(await other.get('k')).toBeUndefined()
      expect(await other.keys('')).toEqual([])
    })

    test('a value is consumed once', async () => {
      const all = [store, await another(), await another()]
      await store.replace('k', undefined, 'one')
      const taken = await Promise.all(all.map((each) => each.replace('k', 'one', undefined)))
      expect(taken.filter((done) => done)).toHaveLength(1)
      expect(await store.get('k')).toBeUndefined()
      expect(await store.keys('')).toEqual([])
    })

    test('of many who replace the same value at once, one wins, every time', async () => {
      const all = [store, await another(), await another()]
      for (let round = 0, value: string | undefined; round < rounds; round++) {
        const expected = value
        const won = await Promise.all(
          Array.from({ length: contenders }, (_, n) =>
            all[n % all.length]!.replace('app/grant/contended', expected, `round ${round}, contender ${n}`),
          ),
        )
        expect(won.filter((done) => done)).toHaveLength(1)
        value = `round ${round}, contender ${won.indexOf(true)}`
        expect(await store.get('app/grant/contended')).toBe(value)
      }
    })

    test('writes to different records do not get in each other’s way', async () => {
      const all = [store, await another()]
      const keys = Array.from({ length: contenders }, (_, n) => `app/kind/${n}`)
      const done = await Promise.all(keys.map((key, n) => all[n % 2]!.replace(key, undefined, key)))
      expect(done).toEqual(keys.map(() => true))
      expect(await Promise.all(keys.map((key) => store.get(key)))).toEqual(keys)
      expect([...(await store.keys('app/kind/'))].sort()).toEqual([...keys].sort())
      await Promise.all(keys.slice(1).map((key, n) => all[n % 2]!.replace(key, key, undefined)))
      expect(await store.keys('')).toEqual(keys.slice(0, 1))
    })

    test('keys are found by how they begin', async () => {
      for (const key of ['app/grant/1', 'app/grant/2', 'app/attempt/1', 'app/grants', 'other/app/grant/1']) {
        await store.replace(key, undefined, 'v')
      }
      expect([...(await store.keys('app/grant/'))].sort()).toEqual(['app/grant/1', 'app/grant/2'])
      expect(await store.keys('app/registration/')).toEqual([])
      expect(await store.keys('')).toHaveLength(5)
    })

    test.each(ODD_VALUES)('a value is any text: %s', async (_name, value) => {
      expect(await store.replace('k', undefined, value)).toBe(true)
      const other = await another()
      expect((await other.get('k')) === value).toBe(true)
      expect(await other.replace('k', `${value} `, 'next')).toBe(false)
      expect(await other.replace('k', value, `${value}${value}`)).toBe(true)
      expect((await store.get('k')) === `${value}${value}`).toBe(true)
      expect(await store.replace('k', `${value}${value}`, undefined)).toBe(true)
      expect(await other.get('k')).toBeUndefined()
    })

    test('a key is any text, and no two are taken for the same', async () => {
      for (const key of ODD_KEYS) expect(await store.replace(key, undefined, key)).toBe(true)
      for (const key of ODD_KEYS) expect(await store.get(key)).toBe(key)
      expect([...(await store.keys(''))].sort()).toEqual([...ODD_KEYS].sort())
      expect(await store.keys('../')).toEqual(['../../etc/passwd'])
      for (const key of ODD_KEYS) expect(await store.replace(key, key, undefined)).toBe(true)
      expect(await store.keys('')).toEqual([])
    })

    test('what has expired is not there', async () => {
      expect(await store.replace('k', undefined, 'v', { expiresAt: Date.now() - 1 })).toBe(true)
      expect(await store.get('k')).toBeUndefined()
      expect(await store.keys('')).toEqual([])
      expect(await store.replace('k', 'v', 'w')).toBe(false)
      expect(await store.replace('k', undefined, 'w')).toBe(true)
      expect(await store.get('k')).toBe('w')
    })

    test('what has not expired is there, and a write without expiry ends the expiry', async () => {
      await store.replace('k', undefined, 'v', { expiresAt: Date.now() + 60_000 })
      expect(await (await another()).get('k')).toBe('v')
      await store.replace('k', 'v', 'w', { expiresAt: Date.now() + 1 })
      await store.replace('lasting', undefined, 'v', { expiresAt: Date.now() + 60_000 })
      await store.replace('lasting', 'v', 'w')
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(await store.keys('')).toEqual(['lasting'])
      expect(await store.get('k')).toBeUndefined()
      expect(await store.get('lasting')).toBe('w')
    })

    test('a watcher is told of writes to its record, until it has had enough', async () => {
      // A store that cannot tell is polled instead.
      if (store.watch === undefined) return
      let told = 0
      const end = store.watch('k', () => told++)
      await store.replace('other', undefined, 'v')
      await store.replace('k', undefined, 'v')
      await expect.poll(() => told).toBeGreaterThan(0)
      end()
      await new Promise((resolve) => setTimeout(resolve, 10))
      const before = told
      await store.replace('k', 'v', 'w')
      await new Promise((resolve) => setTimeout(resolve, 10))
      expect(told).toBe(before)
    })
  })
}

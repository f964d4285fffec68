import { type Diagnostic, indexedDbKeys, indexedDbStore } from '@countersign/browser'
import { beforeEach, describe, expect, it } from 'vitest'
import { database } from '../../../packages/browser/src/indexed-db/database.js'
import { Records } from '../../../packages/core/src/flow/records.js'
import { dump, openRaw, put, remove } from '../support/raw-database.js'

let name: string
beforeEach(() => {
  name = crypto.randomUUID()
})
const names = async (): Promise<readonly (string | undefined)[]> => (await indexedDB.databases()).map((db) => db.name)

describe('what is on the disk', () => {
  it('nothing before the store is used', async () => {
    const store = indexedDbStore({ name })
    indexedDbKeys({ name })
    store.watch?.('k', () => undefined)()
    expect(await names()).not.toContain(name)
    await store.get('k')
    expect(await names()).toContain(name)
  })

  it('the keys of records, when they expire, and nothing of what they hold', async () => {
    const store = indexedDbStore({ name })
    await store.replace('app/grant/1', undefined, 'canary', { expiresAt: 9e15 })
    const records = await dump(name, 'records')
    expect([...records]).toEqual([
      ['app/grant/1', { value: expect.stringMatching(/^cse1\.[\w-]+\.[\w+/=]+$/), expires_at: 9e15 }],
    ])
    expect(JSON.stringify([...records])).not.toContain('canary')
  })

  it('a key that no script can export', async () => {
    await indexedDbStore({ name }).replace('k', undefined, 'v')
    const { key } = (await dump(name, 'sealing')).get('key') as { key: CryptoKey }
    expect(key).toMatchObject({ extractable: false, algorithm: { name: 'AES-GCM', length: 256 } })
    for (const format of ['raw', 'jwk'] as const) await expect(crypto.subtle.exportKey(format, key)).rejects.toThrow()
    expect(JSON.stringify(key)).toBe('{}')
  })

  it('no more of what has expired, once another record that expires is written', async () => {
    let now = 1_000
    const store = indexedDbStore({ name, now: () => now })
    await store.replace('old', undefined, 'v', { expiresAt: 2_000 })
    await store.replace('lasting', undefined, 'v')
    now = 3_000
    await store.replace('new', undefined, 'v', { expiresAt: 4_000 })
    expect([...(await dump(name, 'records')).keys()].sort()).toEqual(['lasting', 'new'])
  })

  it('one key, whoever of many tabs makes it first', async () => {
    const stores = Array.from({ length: 8 }, () => indexedDbStore({ name }))
    await Promise.all(stores.map((store, n) => store.replace(`k${n}`, undefined, 'v')))
    for (const store of stores) for (let n = 0; n < stores.length; n++) expect(await store.get(`k${n}`)).toBe('v')
    expect((await dump(name, 'sealing')).size).toBe(1)
  })
})

describe('a database that several versions of an application share', () => {
  const newer = { version: 2, upgrade: (db: IDBDatabase) => void db.createObjectStore('more') }

  it('is upgraded at once while an older tab has it open; the older tab says that it is to be reloaded', async () => {
    const old = indexedDbStore({ name })
    await old.replace('k', undefined, 'v')
    const began = performance.now()
    const upgraded = database(name, newer)
    expect((await upgraded.opened()).objectStoreNames.contains('more')).toBe(true)
    expect(performance.now() - began).toBeLessThan(2_000)
    await expect(old.get('k')).rejects.toMatchObject({
      code: 'store_unavailable',
      received: expect.stringContaining('VersionError'),
      hint: expect.stringMatching(/newer version.*reload.*memoryStore\(\)/),
    })
  })

  it('held up by a tab that does not let go: said within seconds, and used as soon as it does', async () => {
    await indexedDbStore({ name }).replace('k', undefined, 'v')
    const holder = await openRaw(name)
    const upgraded = database(name, newer)
    await expect(upgraded.opened()).rejects.toMatchObject({
      code: 'store_unavailable',
      received: expect.stringContaining('TimeoutError'),
      hint: expect.stringMatching(/Another tab.*close the others/),
    })
    holder.close()
    expect((await upgraded.opened()).version).toBe(2)
  })

  it('held up by somebody who deletes it: said within seconds', async () => {
    await indexedDbStore({ name }).replace('k', undefined, 'v')
    const holder = await openRaw(name)
    const removed = remove(name)
    const store = indexedDbStore({ name })
    await expect(store.get('k')).rejects.toMatchObject({ code: 'store_unavailable' })
    holder.close()
    await removed
    expect(await store.get('k')).toBeUndefined()
  })
})

describe('what is damaged or gone', () => {
  it('a database that was deleted under an open tab is made anew, and is empty', async () => {
    const store = indexedDbStore({ name })
    await store.replace('k', undefined, 'v')
    await remove(name)
    expect(await store.get('k')).toBeUndefined()
    expect(await store.replace('k', undefined, 'w')).toBe(true)
    expect(await indexedDbStore({ name }).get('k')).toBe('w')
  })

  it.each<[string, () => Promise<void>]>([
    ['the key was evicted', () => put(name, 'sealing', 'key', undefined)],
    ['the key is none any more', () => put(name, 'sealing', 'key', { id: 'x', key: {} })],
    ['the record was changed', () => put(name, 'records', 'k', { value: 'cse1.x.AAAA' })],
    ['the record is something else', () => put(name, 'records', 'k', 42)],
    ['the record is in the clear', () => put(name, 'records', 'k', { value: '{"format":1,"value":{}}' })],
  ])('%s: the record is no record, is written over, and can be read from then on', async (_name, damage) => {
    await indexedDbStore({ name }).replace('k', undefined, '{"format":1}')
    await damage()
    const store = indexedDbStore({ name })
    const seen = await store.get('k')
    expect(seen).toBeDefined()
    expect(() => JSON.parse(seen ?? '')).toThrow(SyntaxError)
    expect(await store.replace('k', undefined, 'new')).toBe(false)
    expect(await store.replace('k', seen, 'new')).toBe(true)
    expect(await indexedDbStore({ name }).get('k')).toBe('new')
  })

  it('a login whose key is gone is discarded with a diagnostic, and is nobody else’s', async () => {
    await indexedDbStore({ name }).replace('app/grant/1', undefined, '{"format":1}')
    await put(name, 'sealing', 'key', undefined)
    const told: Diagnostic[] = []
    const records = new Records(indexedDbStore({ name }), 'app', Date.now, (diagnostic) => told.push(diagnostic))
    expect((await records.read('grant', 'app/grant/1')).value).toBeUndefined()
    expect(told).toMatchObject([{ code: 'record_discarded', url: 'app/grant/1' }])
  })

  it('a database of that name that is somebody else’s: said, with the way out', async () => {
    ;(await openRaw(name, 1, (db) => db.createObjectStore('cats'))).close()
    for (const work of [indexedDbStore({ name }).get('k'), indexedDbKeys({ name }).ids()]) {
      await expect(work).rejects.toMatchObject({
        code: 'store_unavailable',
        expected: `the database ${name} in IndexedDB`,
        received: expect.stringContaining('NotFoundError'),
        hint: expect.stringMatching(/damaged.*memoryStore\(\)/),
      })
    }
  })
})

describe('watching', () => {
  it('tells of the writes of other instances, to as many as watch, and of no other record', async () => {
    const [one, two] = [indexedDbStore({ name }), indexedDbStore({ name })]
    const told: string[] = []
    const ends = [one.watch?.('k', () => told.push('a')), one.watch?.('k', () => told.push('b'))]
    await two.replace('other', undefined, 'v')
    await two.replace('k', undefined, 'v')
    await expect.poll(() => told).toEqual(['a', 'b'])
    ends[0]?.()
    await two.replace('k', 'v', 'w')
    await expect.poll(() => told).toEqual(['a', 'b', 'b'])
    ends[1]?.()
  })

  it('does not tell of a write that was not made', async () => {
    const store = indexedDbStore({ name })
    let told = 0
    const end = store.watch?.('k', () => told++)
    expect(await store.replace('k', 'nothing', 'v')).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(told).toBe(0)
    end?.()
  })
})

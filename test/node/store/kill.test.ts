import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { encryptedFileStore } from '@countersign/node'
import { expect, test } from 'vitest'
import { bundle, directories, KEY, start } from './support.js'

const ROUNDS = 14
const WRITERS = 4

const directory = directories()

test(`${ROUNDS * WRITERS} kills at random moments: every record is readable, and holds what was said to be written`, async () => {
  const place = await directory()
  const file = bundle('store-writer')
  const written = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      Array.from({ length: WRITERS }, async (_, n) => {
        const child = start(file, [place, String(n)])
        let printed = ''
        child.stdout?.on('data', (chunk) => {
          printed += chunk
        })
        const closed = once(child, 'close')
        await once(child.stdout!, 'data')
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 60))
        child.kill('SIGKILL')
        await closed
        for (const [, key = '', count] of printed.matchAll(/^(\S+) (\d+)$/gm)) {
          written.set(key, Math.max(written.get(key) ?? 0, Number(count)))
        }
      }),
    )
    const store = encryptedFileStore({ directory: place, key: KEY })
    const keys = await store.keys('')
    expect(keys).toEqual(expect.arrayContaining([...written.keys()]))
    for (const key of keys) {
      const value = await store.get(key)
      expect(value).toMatch(/^\d+:x*:end$/)
      // One that was killed before it could say so has written all the same.
      expect(Number(value?.split(':')[0])).toBeGreaterThanOrEqual(written.get(key) ?? 0)
      // The dead hold no lock.
      expect(await store.replace(key, value, value)).toBe(true)
    }
  }
  expect((await readdir(place)).filter((name) => name.endsWith('.tmp'))).toEqual([])
}, 60_000)

test('no count is lost between processes', async () => {
  const place = await directory()
  const file = bundle('store-writer')
  const counts = await Promise.all(
    Array.from({ length: 4 }, async (_, n) => {
      const child = start(file, [place, String(n)])
      let printed = ''
      child.stdout?.on('data', (chunk) => {
        printed += chunk
      })
      await once(child.stdout!, 'data')
      await new Promise((resolve) => setTimeout(resolve, 500))
      const closed = once(child, 'close')
      child.kill('SIGKILL')
      await closed
      return [...printed.matchAll(/^shared\/counter (\d+)$/gm)].map(([, count]) => Number(count))
    }),
  )
  // Each number was given to one process, and none twice.
  const given = counts.flat()
  expect(new Set(given).size).toBe(given.length)
  expect(given.length).toBeGreaterThan(4)
})

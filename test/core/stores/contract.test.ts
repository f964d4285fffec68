import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encrypted, keyValueStore, memoryStore } from '@countersign/core'
import { afterEach } from 'vitest'
import { storeContract } from '../../contracts/store.js'
import { fileStore } from '../../support/file-store.js'

const directories: string[] = []
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true })
})

const keys = [
  { id: 'new', key: new Uint8Array(32).fill(2) },
  { id: 'old', key: new Uint8Array(32).fill(1) },
]

storeContract('memory', () => {
  const store = memoryStore()
  return { open: () => store }
})

storeContract(
  "the tests' files",
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'countersign-'))
    directories.push(directory)
    return { open: () => fileStore(directory) }
  },
  { rounds: 5 },
)

storeContract('a key-value store that lists its keys', () => {
  const map = new Map<string, string>()
  return { open: () => keyValueStore(map) }
})

storeContract('a key-value store that does not, and answers late', () => {
  const map = new Map<string, string>()
  const late = () => new Promise((resolve) => setImmediate(resolve))
  const kv = {
    get: async (key: string) => {
      await late()
      return map.get(key) ?? null
    },
    set: async (key: string, value: string) => {
      await late()
      map.set(key, value)
    },
    delete: async (key: string) => {
      await late()
      map.delete(key)
    },
  }
  return { open: () => keyValueStore(kv) }
})

storeContract('encrypted memory', () => {
  const store = memoryStore()
  return { open: () => encrypted(store, keys) }
})

storeContract('encrypted memory under rotation: each instance has another first key', () => {
  const store = memoryStore()
  let opened = 0
  return { open: () => encrypted(store, opened++ % 2 === 0 ? keys : [...keys].reverse()) }
})

import { encrypted, indexedDbKeys, indexedDbStore, memoryStore } from '@countersign/browser'
import { keysContract } from '../../contracts/keys.js'
import { storeContract } from '../../contracts/store.js'

storeContract('IndexedDB', () => {
  const name = crypto.randomUUID()
  return { open: () => indexedDbStore({ name }) }
})

storeContract('memory, in a page', () => {
  const store = memoryStore()
  return { open: () => store }
})

storeContract('encrypted memory, in a page', () => {
  const store = memoryStore()
  const keys = [{ id: 'a', key: new Uint8Array(32).fill(1) }]
  return { open: () => encrypted(store, keys) }
})

keysContract('IndexedDB', () => {
  const name = crypto.randomUUID()
  return { open: () => indexedDbKeys({ name }) }
})

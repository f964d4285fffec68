import { memoryStore, storedKeys } from '@countersign/node'
import { describe, expect, it } from 'vitest'
import { keysContract } from '../contracts/keys.js'

const appId = 'com.example.agent'

keysContract('a store, as JWK', () => {
  const store = memoryStore()
  return { open: () => storedKeys(store, { appId }) }
})

describe('key pairs in a store', () => {
  it('are records of the application beside its others, and are not mixed up with those of another', async () => {
    const store = memoryStore()
    await storedKeys(store, { appId }).create('k', 'ES256')
    await storedKeys(store, { appId: `${appId}.other` }).create('other', 'ES256')
    expect(await store.keys('')).toEqual([`${appId}/key/k`, `${appId}.other/key/other`])
    expect(await storedKeys(store, { appId }).ids()).toEqual(['k'])
  })

  it.each([
    'not JSON',
    '{}',
    '{"format":1,"algorithm":"ES256","jwk":{"kty":"EC","d":"secret-part"}}',
    '{"format":1,"algorithm":"HS256","jwk":{"kty":"oct","k":"secret-part"}}',
  ])('say so where the record is none, and repeat nothing of it: %s', async (raw) => {
    const store = memoryStore()
    await store.replace(`${appId}/key/k`, undefined, raw)
    const keys = storedKeys(store, { appId })
    const error = await keys.load('k').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'store_unavailable', step: 'read', action: 'fix_configuration' })
    expect(JSON.stringify(error)).not.toContain('secret')
    await keys.delete('k')
    expect(await keys.load('k')).toBeUndefined()
  })
})

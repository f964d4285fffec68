import type { Keys } from '@countersign/core'
import { beforeEach, describe, expect, test } from 'vitest'

/** A place for key pairs that is empty at first. Every call of `open` is another instance over the same pairs. */
export interface KeysPlace {
  open(): Keys | Promise<Keys>
}

const ALGORITHMS: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['ES256', { name: 'ECDSA', namedCurve: 'P-256' }],
  ['ES384', { name: 'ECDSA', namedCurve: 'P-384' }],
  ['Ed25519', { name: 'Ed25519' }],
  ['EdDSA', { name: 'Ed25519' }],
  ['PS256', { name: 'RSA-PSS', modulusLength: 2048 }],
  ['RS256', { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048 }],
]

const signing = ({ name }: KeyAlgorithm): EcdsaParams | RsaPssParams => ({ name, hash: 'SHA-256', saltLength: 32 })
const text = new TextEncoder().encode('to be signed')

/** Whether a signature of one pair is good for the other. */
async function matches(a: CryptoKeyPair, b: CryptoKeyPair): Promise<boolean> {
  const signature = await crypto.subtle.sign(signing(a.privateKey.algorithm), a.privateKey, text)
  return crypto.subtle.verify(signing(b.publicKey.algorithm), b.publicKey, signature, text)
}

/** What core asks of whatever keeps key pairs. The suite of each runs this, and adds what is its own. */
export function keysContract(name: string, make: () => KeysPlace | Promise<KeysPlace>): void {
  describe(`what core asks of a store of key pairs: ${name}`, () => {
    let place: KeysPlace
    let keys: Keys
    beforeEach(async () => {
      place = await make()
      keys = await place.open()
    })
    const another = async (): Promise<Keys> => place.open()

    test('what is not there is undefined, and deleting it is no failure', async () => {
      expect(await keys.load('none')).toBeUndefined()
      expect(await keys.ids()).toEqual([])
      await keys.delete('none')
    })

    test.each(ALGORITHMS)(
      'a pair for %s signs, and the one that is loaded is the same',
      async (algorithm, expected) => {
        const made = await keys.create('k', algorithm)
        expect(made.privateKey.algorithm).toMatchObject(expected)
        const loaded = (await keys.load('k'))!
        expect(loaded.privateKey.algorithm).toMatchObject(expected)
        expect(await matches(made, loaded)).toBe(true)
        expect(await matches(loaded, made)).toBe(true)
      },
    )

    test('the private half of a pair cannot be exported, the public half can', async () => {
      const made = await keys.create('k', 'ES256')
      for (const pair of [made, await keys.load('k'), await (await another()).load('k')]) {
        expect(pair!.privateKey.extractable).toBe(false)
        await expect(crypto.subtle.exportKey('jwk', pair!.privateKey)).rejects.toThrow()
        expect(await crypto.subtle.exportKey('jwk', pair!.publicKey)).toMatchObject({ kty: 'EC', crv: 'P-256' })
      }
    })

    test('another instance loads it, lists it and deletes it', async () => {
      const made = await keys.create('k', 'ES256')
      const other = await another()
      expect(await matches(made, (await other.load('k'))!)).toBe(true)
      expect(await other.ids()).toEqual(['k'])
      await other.delete('k')
      expect(await keys.load('k')).toBeUndefined()
      expect(await keys.ids()).toEqual([])
    })

    test('each id has a pair of its own', async () => {
      const ids = ['a', 'b', '../c', 'd/e', 'ünïcode']
      const made = await Promise.all(ids.map((id) => keys.create(id, 'ES256')))
      expect([...(await keys.ids())].sort()).toEqual([...ids].sort())
      for (const [n, id] of ids.entries()) expect(await matches(made[n]!, (await keys.load(id))!)).toBe(true)
      expect(await matches(made[0]!, made[1]!)).toBe(false)
      await keys.delete('a')
      expect([...(await keys.ids())].sort()).toEqual(ids.slice(1).sort())
    })

    test('a pair is never replaced by another of the same id, also when two are made at once', async () => {
      const other = await another()
      const [first, second] = await Promise.allSettled([keys.create('k', 'ES256'), other.create('k', 'ES256')])
      const made = [first, second].flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
      expect(made).toHaveLength(1)
      expect([first, second].find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: 'options_invalid', received: 'k' },
      })
      expect(await matches(made[0]!, (await keys.load('k'))!)).toBe(true)
    })

    test.each(['HS256', 'none', 'ES255', ''])('%j makes no pair, and leaves nothing', async (algorithm) => {
      await expect(keys.create('k', algorithm)).rejects.toMatchObject({ code: 'options_invalid', received: algorithm })
      expect(await keys.ids()).toEqual([])
    })
  })
}

import { CountersignError, encrypted, memoryStore, type Store } from '@countersign/core'
import { describe, expect, test } from 'vitest'

const key = (id: string, byte: number) => ({ id, key: new Uint8Array(32).fill(byte) })
const [OLD, NEW] = [key('2025', 1), key('2026', 2)]

const unavailable = async (work: Promise<unknown>): Promise<CountersignError> => {
  const error = await work.catch((reason: unknown) => reason)
  if (!CountersignError.is(error)) throw new Error(`not refused: ${error}`)
  expect(error).toMatchObject({ code: 'store_unavailable', action: 'fix_configuration' })
  return error
}

describe('what the store under it sees', () => {
  test('the key’s id, and neither the value nor the same text twice', {
    tags: ['mcp-security/secure-storage', 'mcp/refresh-token-confidential'],
  }, async () => {
    const inner = memoryStore()
    const store = encrypted(inner, [NEW])
    await store.replace('a', undefined, 'canary')
    await store.replace('b', undefined, 'canary')
    const [a, b] = [await inner.get('a'), await inner.get('b')]
    expect(a).toMatch(/^cse1\.2026\.[\w+/=]+$/)
    expect(a).not.toContain('canary')
    expect(a).not.toBe(b)
  })

  test('its expiry, so that it may drop what has expired', async () => {
    const given: unknown[] = []
    const inner = memoryStore()
    const spy: Store = {
      ...inner,
      replace: (k, e, n, options) => {
        given.push(options)
        return inner.replace(k, e, n, options)
      },
    }
    await encrypted(spy, [NEW]).replace('k', undefined, 'v', { expiresAt: 42 })
    expect(given).toEqual([{ expiresAt: 42 }])
  })
})

describe('rotation', () => {
  test('the first key encrypts, every key decrypts, and a write takes the first', async () => {
    const inner = memoryStore()
    await encrypted(inner, [OLD]).replace('k', undefined, 'v')
    const both = encrypted(inner, [NEW, OLD])
    expect(await both.get('k')).toBe('v')
    expect(await inner.get('k')).toContain('.2025.')
    expect(await both.replace('k', 'v', 'v')).toBe(true)
    expect(await inner.get('k')).toContain('.2026.')
    expect(await encrypted(inner, [NEW]).get('k')).toBe('v')
  })

  test('a value that no key opens names its key, and stays as it is', async () => {
    const inner = memoryStore()
    await encrypted(inner, [OLD]).replace('k', undefined, 'v')
    const before = await inner.get('k')
    const store = encrypted(inner, [NEW])
    expect((await unavailable(store.get('k'))).received).toContain('"2025"')
    await unavailable(store.replace('k', undefined, 'w'))
    await unavailable(store.replace('k', 'v', undefined))
    expect(await inner.get('k')).toBe(before)
  })

  test('a key of our own making, which cannot be exported', async () => {
    const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    const inner = memoryStore()
    await encrypted(inner, [{ id: 'own', key: made }]).replace('k', undefined, 'v')
    expect(await encrypted(inner, [NEW, { id: 'own', key: made }]).get('k')).toBe('v')
  })
})

describe('whoever can write to the store under it', () => {
  const sealed = async (): Promise<{ inner: Store; store: Store; raw: string }> => {
    const inner = memoryStore()
    const store = encrypted(inner, [NEW, OLD])
    await store.replace('k', undefined, 'v')
    return { inner, store, raw: (await inner.get('k')) ?? '' }
  }

  test('cannot put the value of one record in the place of another', async () => {
    const { inner, store, raw } = await sealed()
    await inner.replace('other', undefined, raw)
    expect((await unavailable(store.get('other'))).received).toContain('moved')
    expect(await store.get('k')).toBe('v')
  })

  test.each<[string, (raw: string) => string]>([
    ['changed', (raw) => raw.replace(/.{4}$/, (end) => (end === 'AAA=' ? 'BBB=' : 'AAA='))],
    ['cut', (raw) => raw.slice(0, -8)],
    ['cut to nothing', (raw) => raw.slice(0, 10)],
    ['with another key’s id', (raw) => raw.replace('2026', '2025')],
    ['not base64', (raw) => `${raw}%`],
    ['plain', () => 'v'],
    ['empty', () => ''],
    ['of a later format', (raw) => raw.replace('cse1', 'cse2')],
  ])('cannot have a value believed that is %s', async (_name, change) => {
    const { inner, store, raw } = await sealed()
    await inner.replace('k', raw, change(raw))
    await unavailable(store.get('k'))
    expect(await inner.get('k')).toBe(change(raw))
  })
})

test('somebody who writes the same text in the meantime does not make a writer lose', async () => {
  const inner = memoryStore()
  const other = encrypted(inner, [NEW])
  let meddled = false
  const meddling: Store = {
    ...inner,
    replace: async (...args) => {
      if (!meddled) await other.replace('k', 'v', 'v')
      meddled = true
      return inner.replace(...args)
    },
  }
  await other.replace('k', undefined, 'v')
  expect(await encrypted(meddling, [NEW]).replace('k', 'v', 'w')).toBe(true)
  expect(await other.get('k')).toBe('w')
})

test.each([
  ['no key', []],
  ['an id twice', [OLD, OLD]],
  ['an id with a dot', [key('a.b', 1)]],
  ['no id', [key('', 1)]],
  ['a short key', [{ id: 'a', key: new Uint8Array(16) }]],
])('a key ring is refused: %s', (_name, ring) => {
  expect(() => encrypted(memoryStore(), ring)).toThrow(expect.objectContaining({ code: 'options_invalid' }))
})

test('the bytes of a key may be overwritten once they were given', async () => {
  const bytes = new Uint8Array(32).fill(1)
  const inner = memoryStore()
  const store = encrypted(inner, [{ id: '2025', key: bytes }])
  bytes.fill(0)
  await store.replace('k', undefined, 'v')
  expect(await encrypted(inner, [OLD]).get('k')).toBe('v')
})

describe('a value that no key opens, where keys cannot come back', () => {
  const lost = async (): Promise<{ inner: Store; store: Store }> => {
    const inner = memoryStore()
    await encrypted(inner, [OLD]).replace('k', undefined, '{"a":"canary"}')
    return { inner, store: encrypted(inner, [NEW], { unreadable: 'discard' }) }
  }

  test('is read as a text that is no record, and may be written over by who has read it', async () => {
    const { store } = await lost()
    const seen = await store.get('k')
    expect(() => JSON.parse(seen ?? '')).toThrow(SyntaxError)
    expect(seen).not.toContain('canary')
    expect(await store.replace('k', undefined, 'new')).toBe(false)
    expect(await store.replace('k', 'something else', 'new')).toBe(false)
    expect(await store.replace('k', seen, 'new')).toBe(true)
    expect(await store.get('k')).toBe('new')
  })

  test('is written over by one of those who try at once', async () => {
    const { store } = await lost()
    const seen = await store.get('k')
    const won = await Promise.all(['a', 'b', 'c'].map((next) => store.replace('k', seen, next)))
    expect(won.filter(Boolean)).toHaveLength(1)
  })

  test('in the clear, is not believed: whoever wrote it did not have the key', async () => {
    const { inner, store } = await lost()
    await inner.replace('planted', undefined, '{"format":1}')
    expect(() => JSON.parse('{"format":1}')).not.toThrow()
    const planted = (await store.get('planted')) ?? ''
    expect(() => JSON.parse(planted)).toThrow(SyntaxError)
  })
})

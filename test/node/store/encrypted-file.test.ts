import { chmod, mkdir, readdir, readFile, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CountersignError, encryptedFileStore, type FileKey, plainText, type Store } from '@countersign/node'
import { describe, expect, test, vi } from 'vitest'
import { directories, KEY } from './support.js'

const OTHER = new Uint8Array(32).fill(9)
const directory = directories()
const open = (place: string, key: FileKey | readonly FileKey[] = KEY): Store =>
  encryptedFileStore({ directory: place, key })

const records = async (place: string): Promise<string[]> =>
  (await readdir(place)).filter((name) => name.endsWith('.record')).map((name) => join(place, name))

const unavailable = async (work: Promise<unknown>): Promise<CountersignError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!CountersignError.is(error)) throw new Error(`not refused: ${error}`)
  expect(error).toMatchObject({ code: 'store_unavailable', action: 'fix_configuration' })
  return error
}

describe('what lies on the disk', () => {
  test('is this user’s alone, and shows neither values nor keys', {
    tags: ['mcp-security/secure-storage', 'mcp/refresh-token-confidential'],
  }, async () => {
    const place = join(await directory(), 'deep', 'store')
    const store = open(place)
    await store.replace('com.example/grant/k', undefined, 'refresh-token-canary')
    expect((await stat(place)).mode & 0o777).toBe(0o700)
    for (const name of await readdir(place)) {
      const file = join(place, name)
      expect([name, (await stat(file)).mode & 0o777]).toEqual([name, 0o600])
      const text = await readFile(file, 'latin1')
      expect(text + name).not.toContain('canary')
      expect(text + name).not.toContain('com.example')
    }
  })

  test('an abandoned record is deleted once it has expired', async () => {
    const place = await directory()
    await open(place).replace('attempt', undefined, 'v', { expiresAt: Date.now() - 1 })
    await open(place).replace('other', undefined, 'v')
    expect(await records(place)).toHaveLength(1)
  })

  test('nothing is made before the first use', async () => {
    const place = join(await directory(), 'store')
    open(place)
    expect(await stat(place).catch(() => 'none')).toBe('none')
  })
})

describe('keys', () => {
  test.each<[string, FileKey]>([
    ['32 bytes', KEY],
    ['a passphrase', { passphrase: 'correct horse battery staple' }],
    ['a passphrase that is asked for', { passphrase: async () => 'correct horse battery staple' }],
    ['a key that is read', { read: async () => KEY }],
    ['a variable with base64', { env: 'COUNTERSIGN_TEST_KEY' }],
    ['plain text, by its name', plainText],
  ])('%s', async (name, key) => {
    vi.stubEnv('COUNTERSIGN_TEST_KEY', Buffer.from(KEY).toString('base64'))
    const place = await directory()
    await open(place, key).replace('k', undefined, 'canary')
    expect(await open(place, key).get('k')).toBe('canary')
    const [file = ''] = await records(place)
    expect((await readFile(file, 'latin1')).includes('canary')).toBe(name.startsWith('plain'))
    await unavailable(open(place, OTHER).get('k'))
  })

  test('the same key, as base64, base64url and hex in a variable, and as bytes', async () => {
    const place = await directory()
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, n) => 255 - n))
    await open(place, bytes).replace('k', undefined, 'v')
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      vi.stubEnv('COUNTERSIGN_TEST_KEY', `${bytes.toString(encoding)}\n`)
      expect(await open(place, { env: 'COUNTERSIGN_TEST_KEY' }).get('k')).toBe('v')
    }
  })

  test('a variable that is not set is named', async () => {
    const error = await unavailable(open(await directory(), { env: 'COUNTERSIGN_NOT_SET' }).get('k'))
    expect(error.message).toContain('COUNTERSIGN_NOT_SET')
    expect(error.hint).toContain('openssl rand')
  })

  test('what is no key is refused', async () => {
    await unavailable(open(await directory(), new Uint8Array(16)).get('k'))
    await unavailable(open(await directory(), { passphrase: 'short' }).get('k'))
    expect(() => encryptedFileStore({ directory: '', key: KEY })).toThrow(
      expect.objectContaining({ code: 'options_invalid' }),
    )
    expect(() => encryptedFileStore({ directory: 'x', key: [] })).toThrow(CountersignError)
  })

  test('a wrong key changes nothing, and both keys are named by their ids', async () => {
    const place = await directory()
    await open(place).replace('k', undefined, 'v')
    const error = await unavailable(open(place, OTHER).replace('new', undefined, 'w'))
    expect(error.message).toMatch(/with the key [0-9a-f]{16}. Received the key [0-9a-f]{16}/)
    expect(await records(place)).toHaveLength(1)
    expect(await open(place).get('k')).toBe('v')
  })

  test('rotation: the first key encrypts, every key decrypts, and a write encrypts the rest anew', async () => {
    const place = await directory()
    const old = open(place)
    await old.replace('a', undefined, '1')
    await old.replace('b', undefined, '2')
    const both = open(place, [OTHER, KEY])
    expect(await both.get('a')).toBe('1')
    await both.replace('a', '1', '3')
    // The old process goes on, and is told what it cannot read.
    expect((await unavailable(old.get('a'))).message).toContain('was not given')
    const renewed = open(place, OTHER)
    expect(await renewed.get('a')).toBe('3')
    expect(await renewed.get('b')).toBe('2')
  })

  test('a plain record is not read by a store that encrypts', async () => {
    const [plain, place] = [await directory(), await directory()]
    await open(plain, plainText).replace('k', undefined, 'planted')
    await open(place).replace('k', undefined, 'v')
    const [[from = ''], [to = '']] = [await records(plain), await records(place)]
    await rename(from, to)
    await unavailable(open(place).get('k'))
  })
})

describe('damage', () => {
  const damaged = async (damage: (file: string) => Promise<unknown>): Promise<{ store: Store; place: string }> => {
    const place = await directory()
    const store = open(place)
    await store.replace('k', undefined, 'v')
    const [file = ''] = await records(place)
    await store.replace('neighbour', undefined, 'n')
    await damage(file)
    return { store, place }
  }
  const flip = (at: number) => async (file: string) => {
    const bytes = await readFile(file)
    bytes[at < 0 ? bytes.length + at : at]! ^= 1
    await writeFile(file, bytes)
  }

  test.each<[string, (file: string) => Promise<unknown>]>([
    ['emptied', (file) => truncate(file, 0)],
    ['cut short in its header', (file) => truncate(file, 20)],
    ['cut short in its text', (file) => truncate(file, 60)],
    ['changed in its iv', flip(30)],
    ['changed in its text', flip(45)],
    ['changed in its tag', flip(-1)],
    ['foreign', (file) => writeFile(file, '{"not":"ours"}')],
    ['oversized', (file) => truncate(file, 40 * 1024 * 1024)],
  ])(
    'a record that is %s is told from its value, can be written over, and harms no neighbour',
    async (_name, damage) => {
      const { store, place } = await damaged(damage)
      const value = await store.get('k')
      expect(value).toMatch(/^unreadable record, it /)
      expect(await store.get('neighbour')).toBe('n')
      expect(await store.keys('')).toEqual(['neighbour'])
      expect(await store.replace('k', 'v', 'w')).toBe(false)
      expect(await store.replace('k', undefined, 'w')).toBe(false)
      expect(await store.replace('k', value, 'w')).toBe(true)
      expect(await open(place).get('k')).toBe('w')
      expect(await store.get('neighbour')).toBe('n')
    },
  )

  test('a record in the place of another does not open', async () => {
    const { store, place } = await damaged(async () => undefined)
    const [a = '', b = ''] = await records(place)
    await rename(a, b)
    const values = [await store.get('k'), await store.get('neighbour')]
    expect(values).toContainEqual(expect.stringMatching(/^unreadable record, it was changed or moved /))
    expect(values).toContain(undefined)
  })

  test('a record of a later format is left alone', async () => {
    const { store, place } = await damaged(async (file) => {
      const bytes = await readFile(file)
      bytes[3] = '2'.charCodeAt(0)
      await writeFile(file, bytes)
    })
    expect((await unavailable(store.get('k'))).hint).toContain('version')
    await unavailable(store.replace('k', undefined, 'w'))
    expect(await store.get('neighbour')).toBe('n')
    expect(await records(place)).toHaveLength(2)
  })

  test('the description of the directory can be lost', async () => {
    const { store, place } = await damaged((file) => writeFile(join(file, '..', 'about.json'), '{"cut'))
    expect(await open(place).get('k')).toBe('v')
    expect(await store.get('k')).toBe('v')
    expect(await open(place, [KEY]).replace('k', 'v', 'w')).toBe(true)
  })

  test('strangers in the directory are nobody’s business', async () => {
    const { store, place } = await damaged(async () => undefined)
    await writeFile(join(place, 'README.txt'), 'hello')
    await mkdir(join(place, 'folder'))
    await writeFile(join(place, 'write.tmp'), 'left by a process that was killed')
    expect([...(await store.keys(''))].sort()).toEqual(['k', 'neighbour'])
    expect(await store.replace('k', 'v', 'w')).toBe(true)
    expect(await readdir(place)).not.toContain('write.tmp')
  })

  test('a symbolic link in the place of a record is not followed', async () => {
    const place = await directory()
    const store = open(place)
    await store.replace('k', undefined, 'v')
    const [file = ''] = await records(place)
    const target = join(await directory(), 'elsewhere')
    await rename(file, target)
    await symlink(target, file)
    expect((await unavailable(store.get('k'))).hint).toContain('symbolic link')
  })
})

describe('a directory that is not fit', () => {
  test('a symbolic link', async () => {
    const place = join(await directory(), 'link')
    await symlink(await directory(), place)
    expect((await unavailable(open(place).get('k'))).message).toContain('symbolic link')
  })

  test.each([0o777, 0o770, 0o702])('others may write in it (%o)', async (mode) => {
    const place = await directory()
    await chmod(place, mode)
    expect((await unavailable(open(place).get('k'))).hint).toContain('chmod 700')
    await chmod(place, 0o700)
    expect(await open(place).get('k')).toBeUndefined()
  })

  test('a file, and a file on the way', async () => {
    const place = join(await directory(), 'file')
    await writeFile(place, '')
    await unavailable(open(place).get('k'))
    expect((await unavailable(open(join(place, 'below')).get('k'))).hint).toContain('A part of the path is a file')
  })

  test('it is deleted while it is in use, and made anew', async () => {
    const place = join(await directory(), 'store')
    const store = open(place)
    await store.replace('k', undefined, 'v')
    await rename(place, `${place}-gone`)
    expect(await store.get('k')).toBeUndefined()
    await unavailable(store.replace('k', undefined, 'v'))
    expect(await store.replace('k', undefined, 'v')).toBe(true)
  })
})

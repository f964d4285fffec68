import { CountersignError, encryptedFileStore, keychainKey, keychainStore, type Store } from '@countersign/node'
import { describe, expect, test } from 'vitest'
import { storeContract } from '../../contracts/store.js'
import { type FakeKeytar, fakeKeytar } from './fake-keytar.js'
import { directories } from './support.js'

const directory = directories()
const open = async (keytar: FakeKeytar, more: { timeoutMs?: number; entryLimit?: number } = {}): Promise<Store> =>
  keychainStore({ keytar, lockDirectory: await directory(), ...more })

const unavailable = async (work: Promise<unknown>): Promise<CountersignError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!CountersignError.is(error)) throw new Error(`not refused: ${error}`)
  expect(error.code).toBe('store_unavailable')
  expect(error.hint).toMatch(/encryptedFileStore.*memoryStore/)
  return error
}

const everyMethod = (store: Store) => [
  () => store.get('k'),
  () => store.keys(''),
  () => store.replace('k', undefined, 'v'),
]

storeContract(
  'a keychain behind keytar’s methods',
  async () => {
    const [keytar, lockDirectory] = [fakeKeytar(), await directory()]
    return { open: () => keychainStore({ keytar, lockDirectory }) }
  },
  { rounds: 5 },
)

storeContract(
  'a keychain whose entries hold 2,560 bytes, in UTF-16, and that cuts at a NUL and refuses empty texts',
  async () => {
    const entries = new Map<string, string>()
    const lockDirectory = await directory()
    const small = fakeKeytar(
      {
        setPassword: async (service, account, text) => {
          if (text === '' || Buffer.from(text, 'utf16le').length > 2_560) throw new Error('refused')
          entries.set(`${service}/${account}`, text.split('\0')[0]!)
        },
      },
      entries,
    )
    return { open: () => keychainStore({ keytar: small, lockDirectory, entryLimit: 1_200 }) }
  },
  { rounds: 3, contenders: 6 },
)

describe('what is in the keychain', () => {
  test('one entry a record, and an index without secrets', async () => {
    const keytar = fakeKeytar()
    const store = await open(keytar)
    await store.replace('app/grant/a', undefined, 'canary')
    await store.replace('app/grant/b', undefined, 'x'.repeat(100_000))
    expect(keytar.entries.size).toBe(3)
    expect(keytar.entries.get('countersign/index')).toContain('app/grant/a')
    expect(keytar.entries.get('countersign/index')).not.toContain('canary')
  })

  test('a warm start reads one entry', async () => {
    const keytar = fakeKeytar()
    await (await open(keytar)).replace('k', undefined, 'v')
    const warm = fakeKeytar({}, keytar.entries)
    expect(await (await open(warm)).get('k')).toBe('v')
    expect(warm.calls).toHaveLength(1)
  })

  test('nothing is left of a value that was cut, once it is replaced or removed', async () => {
    const keytar = fakeKeytar()
    const store = await open(keytar, { entryLimit: 1_200 })
    await store.replace('k', undefined, 'x'.repeat(5_000))
    expect(keytar.entries.size).toBeGreaterThan(5)
    await store.replace('k', 'x'.repeat(5_000), 'v')
    expect(keytar.entries.size).toBe(2)
    await store.replace('k', 'v', 'y'.repeat(5_000))
    await store.replace('k', 'y'.repeat(5_000), undefined)
    expect([...keytar.entries.keys()]).toEqual(['countersign/index'])
  })

  test('the index is written first and removed last', async () => {
    const keytar = fakeKeytar()
    const store = await open(keytar)
    await store.replace('k', undefined, 'v')
    await store.replace('k', 'v', undefined)
    const writes = keytar.calls.filter((call) => !call.startsWith('get') && !call.endsWith('probe'))
    expect(writes.map((call) => call.replace(/record-.*/, 'record'))).toEqual([
      'set index',
      'set record',
      'delete record',
      'set index',
    ])
  })

  test('the index is healed: of a key too many, and of one too few', async () => {
    const keytar = fakeKeytar()
    const store = await open(keytar)
    await store.replace('a', undefined, '1')
    await store.replace('b', undefined, '2')
    const record = [...keytar.entries.keys()].find(
      (name) => keytar.entries.get(name)?.includes('"a"') && !/index/.test(name),
    )
    keytar.entries.delete(record!)
    expect(await (await open(keytar)).keys('')).toEqual(['b'])
    expect(keytar.entries.get('countersign/index')).not.toContain('"a"')

    for (const damage of [
      () => keytar.entries.delete('countersign/index'),
      () => keytar.entries.set('countersign/index', '{'),
    ]) {
      damage()
      const later = await open(keytar)
      expect(await later.get('b')).toBe('2')
      expect(await later.replace('b', '2', '2')).toBe(true)
      expect(await later.keys('')).toEqual(['b'])
    }
  })

  test.each([
    '',
    '{}',
    '=',
    '={"key":"other","value":"v"}',
    '+{"id":"x","parts":3,"digest":"y"}',
    '+',
    'garbage\u0000',
  ])('garbage in a record is told from its value, and can be written over: %j', async (garbage) => {
    const keytar = fakeKeytar()
    const store = await open(keytar)
    await store.replace('k', undefined, 'v')
    await store.replace('neighbour', undefined, 'n')
    const record = [...keytar.entries.keys()].find(
      (name) => keytar.entries.get(name)?.includes('"k"') && !/index/.test(name),
    )
    keytar.entries.set(record!, garbage)
    const value = await store.get('k')
    expect(value).toContain('unreadable record')
    expect(await store.replace('k', 'v', 'w')).toBe(false)
    expect(await store.replace('k', value, 'w')).toBe(true)
    expect(await store.get('k')).toBe('w')
    expect(await store.get('neighbour')).toBe('n')
  })

  test('a part that is missing is found out', async () => {
    const keytar = fakeKeytar()
    const store = await open(keytar, { entryLimit: 1_200 })
    await store.replace('k', undefined, 'x'.repeat(5_000))
    keytar.entries.delete([...keytar.entries.keys()].find((name) => name.endsWith('.2'))!)
    expect(await store.get('k')).toContain('unreadable record')
  })

  test('an abandoned record is removed by a later write', async () => {
    const keytar = fakeKeytar()
    const first = await open(keytar)
    await first.replace('app/attempt/1', undefined, 'v', { expiresAt: Date.now() + 5 })
    await new Promise((resolve) => setTimeout(resolve, 10))
    await (await open(keytar)).replace('app/attempt/2', undefined, 'v', { expiresAt: Date.now() + 60_000 })
    expect(keytar.entries.size).toBe(2)
  })
})

describe('a keychain that cannot be used is said to be so, and is never taken for an empty one', () => {
  test('locked, as keytar tells it: nothing is found, and nothing can be written', async () => {
    const locked = (): Promise<void> => Promise.reject(new Error('Cannot create an item in a locked collection'))
    const store = await open(fakeKeytar({ getPassword: async () => null, setPassword: locked }))
    for (const work of everyMethod(store)) {
      expect((await unavailable(work())).hint).toContain('Unlock the keychain')
    }
  })

  test('locked in the middle of a session', async () => {
    const keytar = fakeKeytar()
    const lock = { on: false }
    const store = await open(
      fakeKeytar(
        {
          getPassword: async (service, account) =>
            lock.on ? null : (keytar.entries.get(`${service}/${account}`) ?? null),
          setPassword: async (service, account, text) => {
            if (lock.on) throw new Error('Cannot create an item in a locked collection')
            keytar.entries.set(`${service}/${account}`, text)
          },
        },
        keytar.entries,
      ),
    )
    expect(await store.get('none')).toBeUndefined()
    await store.replace('k', undefined, 'v')
    lock.on = true
    await unavailable(store.get('k'))
    await unavailable(store.keys(''))
    lock.on = false
    expect(await store.get('k')).toBe('v')
    expect(await store.keys('')).toEqual(['k'])
  })

  test.each([
    ['no D-Bus', 'DBus error: Using X11 for dbus-daemon autolaunch was disabled', 'This session has no keychain'],
    ['no D-Bus, keytar', 'Cannot autolaunch D-Bus without X11 $DISPLAY', 'This session has no keychain'],
    ['prompt dismissed', 'Locked collection, unlock prompt was dismissed', 'Unlock the keychain'],
    ['macOS over ssh', 'User interaction is not allowed.', 'cannot ask'],
    ['denied', 'The user denied access', 'allow it'],
    ['something else', 'error 42', 'See that the keychain works'],
  ])('%s', async (_name, message, hint) => {
    const fail = () => Promise.reject(new Error(message))
    const store = await open(fakeKeytar({ getPassword: fail, setPassword: fail, deletePassword: fail }))
    for (const work of everyMethod(store)) {
      const error = await unavailable(work())
      expect(error.hint).toContain(hint)
      expect(error.received).toBe(message)
    }
  })

  test('it keeps nothing, or garbage', async () => {
    await unavailable((await open(fakeKeytar({ setPassword: async () => undefined }))).get('k'))
    const entries = new Map<string, string>()
    const setPassword = async (service: string, account: string, text: string) => {
      entries.set(`${service}/${account}`, text.toUpperCase())
    }
    await unavailable((await open(fakeKeytar({ setPassword }, entries))).get('k'))
  })

  test('it cuts: a value in parts is read back before it counts', async () => {
    const entries = new Map<string, string>()
    const setPassword = async (service: string, account: string, text: string) => {
      entries.set(`${service}/${account}`, text.slice(0, 1_000))
    }
    const store = await open(fakeKeytar({ setPassword }, entries), { entryLimit: 1_200 })
    await unavailable(store.replace('k', undefined, 'x'.repeat(5_000)))
    expect(await store.get('k')).toBeUndefined()
    expect([...entries.keys()].filter((name) => name.includes('record'))).toEqual([])
  })

  test('no answer: a time limit, and no lock is let go while the call may still write', async () => {
    let answer: () => void = () => undefined
    const entries = new Map<string, string>()
    const lockDirectory = await directory()
    const slow = fakeKeytar(
      {
        setPassword: (service, account, text) =>
          new Promise((resolve) => {
            answer = () => resolve(void entries.set(`${service}/${account}`, text))
          }),
      },
      entries,
    )
    const store = keychainStore({ keytar: slow, lockDirectory, timeoutMs: 30 })
    expect((await unavailable(store.replace('k', undefined, 'v'))).received).toContain('no answer in 30 ms')
    const second = keychainStore({ keytar: fakeKeytar({}, entries), lockDirectory }).replace('k', undefined, 'w')
    expect(await Promise.race([second, new Promise((resolve) => setTimeout(resolve, 50, 'waits'))])).toBe('waits')
    answer()
    expect(await second).toBe(true)
  })
})

test('a key for files that lives in the keychain is made once, and found again', async () => {
  const [keytar, lockDirectory, place] = [fakeKeytar(), await directory(), await directory()]
  const files = (): Store => encryptedFileStore({ directory: place, key: keychainKey({ keytar, lockDirectory }) })
  const all = [files(), files(), files()]
  await Promise.all(all.map((store, n) => store.replace(`k${n}`, undefined, 'v')))
  expect(await files().keys('')).toHaveLength(3)
  expect([...keytar.entries.keys()]).toEqual(['countersign/file-key'])

  keytar.entries.clear()
  const error = await files()
    .get('k0')
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'store_unavailable', hint: expect.stringContaining('Nothing was changed') })
})

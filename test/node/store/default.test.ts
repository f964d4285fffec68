import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CountersignError, createConnector } from '@countersign/node'
import { describe, expect, test, vi } from 'vitest'
import { defaultStore } from '../../../packages/node/src/store/default.js'
import { storeContract } from '../../contracts/store.js'
import { scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { fakeKeytar } from './fake-keytar.js'
import { hasKeyring, keyringSession } from './keyring-session.js'
import { bundle, directories, KEY } from './support.js'

const directory = directories()
const appId = 'com.example.default'
const KEY_TEXT = Buffer.from(KEY).toString('base64')
const absent = () => {
  const none = () => Promise.reject(new Error('Cannot autolaunch D-Bus without X11 $DISPLAY'))
  return fakeKeytar({ getPassword: none, setPassword: none, deletePassword: none })
}
const refused = async (work: Promise<unknown>): Promise<CountersignError> => {
  const error = await work.catch((reason: unknown) => reason)
  if (!CountersignError.is(error)) throw new Error(`not refused: ${error}`)
  expect(error.code).toBe('store_unavailable')
  return error
}

storeContract(
  'the default of Node',
  async () => {
    const [keytar, lockDirectory] = [fakeKeytar(), await directory()]
    return { open: () => defaultStore({ appId, keytar, lockDirectory }) }
  },
  { rounds: 3 },
)

describe('what a connector of Node has without a store', () => {
  test('the keychain, with entries of its own application', async () => {
    const [keytar, lockDirectory] = [fakeKeytar(), await directory()]
    const store = defaultStore({ appId, keytar, lockDirectory })
    expect(await store.replace('k', undefined, 'v')).toBe(true)
    expect([...keytar.entries.keys()].every((name) => name.startsWith(`${appId}/`))).toBe(true)
    expect(store.name).toBe(`the keychain (service "${appId}")`)
  })

  test('encrypted files, where COUNTERSIGN_STORE_KEY is set', async () => {
    vi.stubEnv('COUNTERSIGN_STORE_KEY', KEY_TEXT)
    const [keytar, lockDirectory] = [fakeKeytar(), await directory()]
    const store = defaultStore({ appId, keytar, lockDirectory })
    await store.replace('k', undefined, 'v')
    expect(store.name).toContain(`encrypted files in ${lockDirectory}`)
    expect(keytar.calls).toEqual([])
  })

  test('nothing before the first use', async () => {
    const [keytar, lockDirectory] = [fakeKeytar(), await directory()]
    const store = defaultStore({ appId, keytar, lockDirectory })
    expect(store.name).toContain('not chosen yet')
    expect(keytar.calls).toEqual([])
    expect(await readdir(lockDirectory)).toEqual([])
    await store.get('k')
    expect(keytar.calls).not.toEqual([])
  })

  test('a keychain that was chosen before is read once at a warm start', async () => {
    const [keytar, lockDirectory] = [fakeKeytar(), await directory()]
    await defaultStore({ appId, keytar, lockDirectory }).replace('k', undefined, 'v')
    const warm = fakeKeytar({}, keytar.entries)
    expect(await defaultStore({ appId, keytar: warm, lockDirectory }).get('k')).toBe('v')
    expect(warm.calls).toHaveLength(1)
  })

  test('an application without a name is refused before anything is made', () => {
    for (const options of [{}, { appId: '' }, undefined]) {
      expect(() => createConnector(options as never)).toThrow(expect.objectContaining({ code: 'options_invalid' }))
    }
  })
})

describe('where there is neither a keychain nor a key', () => {
  test('it is said in plain words, with what would do, and nothing is used in its place', async () => {
    const lockDirectory = await directory()
    const store = defaultStore({ appId, keytar: absent(), lockDirectory })
    for (const work of [store.get('k'), store.keys(''), store.replace('k', undefined, 'v')]) {
      const { hint, expected, received } = await refused(work)
      expect(expected).toBe('a keychain, or a key for encrypted files')
      expect(received).toContain('Cannot autolaunch D-Bus')
      expect(hint).toMatch(/COUNTERSIGN_STORE_KEY.*encryptedFileStore\({ directory, key.*store: memoryStore\(\)/)
    }
    expect(await readdir(lockDirectory)).not.toContain('choice')
  })

  test('what is put right while the process runs is found by the next use', async () => {
    const [keytar, lockDirectory] = [fakeKeytar(), await directory()]
    let locked = true
    const sometimes = fakeKeytar(
      {
        setPassword: async (service, account, text) => {
          if (locked) throw new Error('Cannot create an item in a locked collection')
          keytar.entries.set(`${service}/${account}`, text)
        },
      },
      keytar.entries,
    )
    const store = defaultStore({ appId, keytar: sometimes, lockDirectory })
    await refused(store.get('k'))
    locked = false
    expect(await store.get('k')).toBeUndefined()
  })

  test('a keychain that was chosen before and is gone: no empty store, and what would do', async () => {
    const lockDirectory = await directory()
    await defaultStore({ appId, keytar: fakeKeytar(), lockDirectory }).replace('k', undefined, 'v')
    const store = defaultStore({ appId, keytar: absent(), lockDirectory })
    const { hint } = await refused(store.get('k'))
    expect(hint).toMatch(/This session has no keychain.*encryptedFileStore.*COUNTERSIGN_STORE_KEY.*memoryStore/)
  })
})

const MISSING = hasKeyring ? '' : ' (SKIPPED, needs gnome-keyring and dbus: tools/ci-debian.sh)'
describe(`an agent with nothing but its name, in a process of its own`, () => {
  const open = closing()

  async function agent(url: string, ...before: readonly string[]) {
    const [command = '', ...args] = [...before, process.execPath, bundle('default-store'), url]
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
    })
    await once(child, 'close')
    return JSON.parse(text)
  }

  test.skipIf(!hasKeyring)(
    `signs in once over a real gnome-keyring, and a job without it is told${MISSING}`,
    async () => {
      const server = open(await scriptedAuthorization())
      await using session = await keyringSession()
      const env = ['env', ...Object.entries(session.env).map(([name, value]) => `${name}=${value}`)]
      expect(await agent(server.url, ...env)).toEqual({
        status: 202,
        opened: 1,
        early: [],
        late: expect.arrayContaining(['keyring', 'fs-native']),
        store: `the keychain (service "${appId}")`,
      })
      expect(await agent(server.url, ...env)).toMatchObject({ status: 202, opened: 0 })

      const job = ['env', '-i', `HOME=${session.env.HOME}`]
      const { error, opened } = await agent(server.url, ...job)
      expect(error).toMatchObject({ code: 'store_unavailable', hint: expect.stringContaining('COUNTERSIGN_STORE_KEY') })
      expect(opened).toBe(0)

      // What the hint says works, in the session and in the job.
      const key = `COUNTERSIGN_STORE_KEY=${KEY_TEXT}`
      expect(await agent(server.url, ...env, key)).toMatchObject({ status: 202, opened: 1 })
      expect(await agent(server.url, ...job, key)).toMatchObject({
        status: 202,
        opened: 0,
        store: `encrypted files in ${join(session.env.HOME ?? '', '.local/state/countersign/')}${await files(session.env.HOME)}`,
      })
    },
  )

  test.skipIf(process.platform !== 'linux')(
    'without a keychain, as with env -i: told before a page opens',
    async () => {
      const server = open(await scriptedAuthorization())
      const { error, opened, store } = await agent(server.url, 'env', '-i', `HOME=${await directory()}`)
      expect(error).toMatchObject({ code: 'store_unavailable', step: 'choose' })
      expect(error.hint).toMatch(/COUNTERSIGN_STORE_KEY.*memoryStore/)
      expect({ opened, store }).toEqual({ opened: 0, store: null })
      expect(server.requests.filter(({ path }) => path !== '/mcp')).toEqual([])
    },
  )
})

const files = async (home = ''): Promise<string | undefined> =>
  (await readdir(join(home, '.local/state/countersign'))).find((name) => name.startsWith('logins-'))

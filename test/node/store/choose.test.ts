import { spawnSync } from 'node:child_process'
import { CountersignError, chooseStore } from '@countersign/node'
import { describe, expect, test, vi } from 'vitest'
import { fakeKeytar } from './fake-keytar.js'
import { hasKeyring, keyringSession } from './keyring-session.js'
import { bundle, directories, KEY } from './support.js'

const directory = directories()
const appId = 'com.example/agent'
const noBus = () => Promise.reject(new Error('Cannot autolaunch D-Bus without X11 $DISPLAY'))
const absent = () => fakeKeytar({ getPassword: noBus, setPassword: noBus, deletePassword: noBus })

const refused = async (work: Promise<unknown>): Promise<CountersignError> => {
  const error = await work.catch((reason: unknown) => reason)
  if (!CountersignError.is(error)) throw new Error(`not refused: ${error}`)
  expect(error.code).toBe('store_unavailable')
  return error
}

describe('what is chosen, and why', () => {
  test('the keychain, if it works', async () => {
    const choice = await chooseStore({ appId, keytar: fakeKeytar(), lockDirectory: await directory() })
    expect(choice).toMatchObject({ kind: 'keychain', reason: 'The keychain works.' })
    expect(choice.alternatives.map(({ kind }) => kind)).toEqual(['encrypted-file', 'memory'])
    expect(choice.store.name).toContain('keychain')
  })

  test('encrypted files, if a key was given, by an option or by the variable', async () => {
    const lockDirectory = await directory()
    vi.stubEnv('COUNTERSIGN_STORE_KEY', Buffer.from(KEY).toString('hex'))
    for (const key of [undefined, KEY]) {
      const choice = await chooseStore({ appId, keytar: absent(), lockDirectory, ...(key && { key }) })
      expect(choice).toMatchObject({ kind: 'encrypted-file', alternatives: [{ kind: 'keychain' }] })
      const before = await choice.store.get('k')
      expect(before).toBe(key && 'v')
      await choice.store.replace('k', before, 'v')
    }
  })

  test('memory, only if the host allows it', async () => {
    const lockDirectory = await directory()
    const choice = await chooseStore({ appId, keytar: absent(), lockDirectory, memory: true })
    expect(choice.kind).toBe('memory')
    expect(choice.alternatives[0]?.reason).toContain('D-Bus')
    const error = await refused(chooseStore({ appId, keytar: absent(), lockDirectory }))
    expect(error.hint).toMatch(/COUNTERSIGN_STORE_KEY.*encryptedFileStore.*memoryStore/)
    expect(error.received).toContain('D-Bus')
  })
})

describe('no store takes the place of another in silence', () => {
  test('the keychain was chosen, and is out of reach', async () => {
    const lockDirectory = await directory()
    await chooseStore({ appId, keytar: fakeKeytar(), lockDirectory })
    const error = await refused(chooseStore({ appId, keytar: absent(), lockDirectory, memory: true }))
    expect(error.expected).toContain('where the logins of com.example/agent are')
    expect(error.hint).toContain('COUNTERSIGN_STORE_KEY')
    const moved = await chooseStore({ appId, keytar: absent(), lockDirectory, key: KEY })
    expect(moved.reason).toContain('sign in once more')
  })

  test('encrypted files were chosen, and the key is not there', async () => {
    const lockDirectory = await directory()
    await chooseStore({ appId, lockDirectory, key: KEY })
    const error = await refused(chooseStore({ appId, keytar: fakeKeytar(), lockDirectory }))
    expect(error.hint).toContain('COUNTERSIGN_STORE_KEY')
    await refused(chooseStore({ appId, lockDirectory, key: new Uint8Array(32) }))
    // Another application has its own choice.
    expect((await chooseStore({ appId: 'other', keytar: fakeKeytar(), lockDirectory })).kind).toBe('keychain')
  })

  test('an application without a name is refused', async () => {
    await expect(chooseStore({ appId: '' })).rejects.toMatchObject({ code: 'options_invalid' })
  })
})

const MISSING = hasKeyring ? '' : ' (SKIPPED, needs gnome-keyring and dbus: tools/ci-debian.sh)'
test.skipIf(!hasKeyring)(`a scheduled job without the session’s environment, as with env -i${MISSING}`, async () => {
  await using session = await keyringSession()
  const [file, lockDirectory] = [bundle('choose'), await directory()]
  const run = (...before: readonly string[]) => {
    const [command = '', ...args] = [...before, process.execPath, file, lockDirectory]
    return JSON.parse(spawnSync(command, args, { env: session.env, encoding: 'utf8', timeout: 15_000 }).stdout)
  }
  const home = `HOME=${session.env.HOME}`
  expect(run('env')).toMatchObject({ kind: 'keychain', found: null })
  expect(run('env')).toMatchObject({ kind: 'keychain', found: 'login' })

  const { error } = run('env', '-i', home)
  expect(error).toMatchObject({ code: 'store_unavailable', step: 'choose', received: expect.stringContaining('DBUS') })
  expect(error.hint).toMatch(/COUNTERSIGN_STORE_KEY.*scheduled.*sign in once.*encryptedFileStore/)

  // What the hint says works, in the session and in the job.
  const key = `COUNTERSIGN_STORE_KEY=${Buffer.from(KEY).toString('base64')}`
  expect(run('env', key)).toMatchObject({ kind: 'encrypted-file', found: null })
  expect(run('env', '-i', key)).toMatchObject({ kind: 'encrypted-file', found: 'login' })
})

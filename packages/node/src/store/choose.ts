import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { CountersignError, memoryStore, type Store } from '@countersign/core'
import { readDurable, writeDurable } from './durable-file.js'
import { encryptedFileStore } from './encrypted-file.js'
import type { FileKey } from './file-keys.js'
import { underLock } from './file-lock.js'
import { Keychain, type KeychainOptions, keychainStore } from './keychain.js'
import { privateDirectory } from './private-directory.js'
import { stateDirectory } from './state-directory.js'

/** The environment variable whose key `chooseStore` takes, if it is set. */
const STORE_KEY_VARIABLE = 'COUNTERSIGN_STORE_KEY'

type Kind = 'keychain' | 'encrypted-file' | 'memory'

/** What there is to choose from. */
export interface ChooseOptions extends KeychainOptions {
  /** As in `createConnector`: each application has its own choice, its own files, and its own keychain service. */
  readonly appId: string
  /** What the keychain shows the entries under. Default: the `appId`. */
  readonly service?: string
  /** A key for encrypted files, which are then chosen. Default: `{ env: 'COUNTERSIGN_STORE_KEY' }`, where that is set. */
  readonly key?: FileKey | readonly FileKey[]
  /** Where encrypted files go. Default: in the home directory, by the `appId`. */
  readonly directory?: string
  /** Take memory where there is neither a key nor a keychain: logins then end with the process. Default: false. */
  readonly memory?: boolean
}

/** What was chosen, and why. */
export interface Choice {
  /** For `createConnector({ store })`. */
  readonly store: Store
  /** Which of the three it is. */
  readonly kind: Kind
  /** Why this one, for a person. */
  readonly reason: string
  /** What was not chosen, why not, and what would make it the choice. */
  readonly alternatives: readonly { readonly kind: Kind; readonly reason: string }[]
}

const withKey = `Set ${STORE_KEY_VARIABLE} (openssl rand -base64 32) in every process, the scheduled ones too, and sign in once`
const thenFiles = 'logins are then kept as encryptedFileStore({ directory, key: { env } }) does'
const inMemory = 'logins would end with the process; chooseStore({ memory: true }) allows it'

/**
 * Picks a store for this machine and says why: encrypted files where a key was given, else the keychain, if it works. What was
 * picked is remembered for the application, so that a process which cannot reach it fails and says so, instead of
 * starting anew in another store.
 *
 * A scheduled job often cannot reach the keychain of a person's session. Give every process of the application the same
 * key, by `COUNTERSIGN_STORE_KEY`: all of them then use encrypted files.
 *
 * @throws CountersignError `options_invalid` without `appId`; `store_unavailable` where there is neither a key nor a keychain that works, and where the
 * store that was picked before cannot be reached
 */
export async function chooseStore(options: ChooseOptions): Promise<Choice> {
  const { appId, memory } = options
  if (!appId) throw new CountersignError('options_invalid', { step: 'connect', expected: 'chooseStore({ appId })' })
  const key = keyOf(options)
  const { state, app } = placeOf(options)
  const before = await remembered(state, app)

  if (key !== undefined) {
    const store = encryptedFileStore({ directory: options.directory ?? join(state, `logins-${app}`), key })
    // Opens it: a wrong key is told of now.
    await store.get('\0')
    await remember(state, app, 'encrypted-file')
    const moved = before === 'keychain' ? ' The logins that are in the keychain stay there: sign in once more.' : ''
    const reason = `A key for encrypted files was given.${moved}`
    return { store, kind: 'encrypted-file', reason, alternatives: [other('keychain', 'a key was given; leave it out')] }
  }

  if (before === 'encrypted-file') {
    throw unreachable(
      `the key of the encrypted files of ${appId}`,
      'no key',
      `${withKey.split(' in every')[0]} to that key`,
    )
  }
  const failure = await probe(options)
  if (failure === undefined) {
    await remember(state, app, 'keychain')
    const alternatives = [other('encrypted-file', `no key was given. ${withKey}.`), other('memory', inMemory)]
    return { store: keychainOf(options), kind: 'keychain', reason: 'The keychain works.', alternatives }
  }
  const { received = failure.message } = failure
  if (before === undefined && memory === true) {
    const alternatives = [other('keychain', received), other('encrypted-file', `no key was given. ${withKey}.`)]
    const reason = 'There is no keychain and no key: logins end with the process.'
    return { store: memoryStore(), kind: 'memory', reason, alternatives }
  }
  const expected =
    before === 'keychain'
      ? `the keychain, where the logins of ${appId} are`
      : 'a keychain, or a key for encrypted files'
  const hint = `${withKey}: ${thenFiles}. For logins that end with the process pass store: memoryStore().`
  throw unreachable(expected, received, hint, failure)
}

/**
 * The keychain, where it is what was picked before and nothing else is asked for now. It is not tried out.
 */
export async function lastKeychain(options: ChooseOptions): Promise<Store | undefined> {
  const { state, app } = placeOf(options)
  const again = keyOf(options) === undefined && (await remembered(state, app)) === 'keychain'
  return again ? keychainOf(options) : undefined
}

const keyOf = ({ key }: ChooseOptions): ChooseOptions['key'] =>
  key ?? (process.env[STORE_KEY_VARIABLE] ? { env: STORE_KEY_VARIABLE } : undefined)

const placeOf = ({ appId, lockDirectory }: ChooseOptions): { readonly state: string; readonly app: string } => ({
  state: lockDirectory ?? stateDirectory(),
  app: `${appId.replace(/[^\w.-]/g, '_').slice(0, 60)}-${digest(appId)}`,
})

/** Each application has entries, an index and a lock of its own: systems ask a person for what another one has made. */
const withService = (options: ChooseOptions): ChooseOptions => ({
  ...options,
  service: options.service ?? options.appId,
})
const keychainOf = (options: ChooseOptions): Store => keychainStore(withService(options))

const other = (kind: Kind, reason: string): Choice['alternatives'][number] => ({ kind, reason })

const unreachable = (expected: string, received: string, hint: string, cause?: unknown): CountersignError =>
  new CountersignError('store_unavailable', { step: 'choose', expected, received, hint, cause })

async function probe(options: ChooseOptions): Promise<CountersignError | undefined> {
  try {
    const keychain = new Keychain(withService(options))
    await keychain.exclusively(() => keychain.entries.probe())
    return undefined
  } catch (error) {
    if (CountersignError.is(error)) return error
    throw error
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)
const fileOf = (state: string, app: string): string => join(state, `choice-${app}.json`)

async function remembered(state: string, app: string): Promise<Kind | undefined> {
  try {
    const { kind } = JSON.parse(String(await readDurable(fileOf(state, app))))
    return kind === 'keychain' || kind === 'encrypted-file' ? kind : undefined
  } catch {
    // None yet, or damaged: the choice is made anew.
    return undefined
  }
}

/** A home that cannot be written to has no memory of choices, which is no reason to refuse a store that works. */
async function remember(state: string, app: string, kind: Kind): Promise<void> {
  try {
    if ((await remembered(state, app)) === kind) return
    await privateDirectory(state)
    await underLock(join(state, 'choices.lock'), () =>
      writeDurable(fileOf(state, app), JSON.stringify({ format: 1, kind })),
    )
  } catch {
    // Said above.
  }
}

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Store } from '@countersign/core'
import { underLock } from './file-lock.js'
import { KeychainEntries } from './keychain-entries.js'
import { ascii, KeychainIndex } from './keychain-index.js'
import { KeychainValues, type Whole, WINDOWS_LIMIT } from './keychain-values.js'
import { type Keytar, nativeKeytar } from './keytar.js'
import { privateDirectory } from './private-directory.js'
import { stateDirectory } from './state-directory.js'
import { using } from './unavailable.js'

/** Which entries of which keychain. */
export interface KeychainOptions {
  /** What the keychain shows the entries under. Default: `countersign`. */
  readonly service?: string
  /** `keytar`, or what has its methods. Default: `@napi-rs/keyring`, loaded at first use. */
  readonly keytar?: Keytar
  /** How long one call may take, a person who is asked to unlock included, in milliseconds. Default: 30 000. */
  readonly timeoutMs?: number
  /** Characters that an entry may hold. Default: 1 200 on Windows, no limit elsewhere. */
  readonly entryLimit?: number
  /** Where the lock file is: the same for every process that uses the keychain. Default: in the home directory. */
  readonly lockDirectory?: string
}

interface Held {
  readonly key: string
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number
}

const SWEEP_MS = 600_000
const accountOf = (key: string): string =>
  `record-${createHash('sha256').update(JSON.stringify(key)).digest('base64url')}`

/** A service of a keychain: its entries, its index, and the lock that every process takes before it writes. */
export class Keychain {
  readonly entries: KeychainEntries
  readonly values: KeychainValues
  readonly #index: KeychainIndex
  readonly #lock: string
  readonly #directory: string
  #proved = false
  #ready = false
  #swept = 0

  constructor(options: KeychainOptions) {
    const { service = 'countersign', keytar, timeoutMs = 30_000 } = options
    const { entryLimit = process.platform === 'win32' ? WINDOWS_LIMIT : Infinity } = options
    this.entries = new KeychainEntries(service, async () => keytar ?? nativeKeytar(), timeoutMs)
    this.values = new KeychainValues(this.entries, entryLimit)
    this.#index = new KeychainIndex(this.values)
    this.#directory = options.lockDirectory ?? stateDirectory()
    const name = createHash('sha256').update(service).digest('hex').slice(0, 16)
    this.#lock = join(this.#directory, `keychain-${name}.lock`)
  }

  /** The caller hears of its result at once; the lock stays until calls that came too late have ended. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#ready) await privateDirectory(this.#directory)
    this.#ready = true
    return new Promise<T>((resolve, reject) => {
      const held = underLock(this.#lock, async () => {
        await work().then(resolve, reject)
        await this.entries.settled()
      })
      held.catch(reject)
    })
  }

  /** Under the lock: sees that what was not found is not there. A keychain that is locked finds nothing, either. */
  async prove(): Promise<void> {
    const listed = await this.#index.list()
    if (this.#proved && listed !== undefined) return
    await this.entries.probe()
    this.#proved = true
  }

  async get(key: string): Promise<string | undefined> {
    const found = await this.values.readAtOnce(accountOf(key))
    if (found !== undefined && found !== 'parts') return live(decode(key, found))?.value
    return live(await this.exclusively(() => this.#read(key)))?.value
  }

  replace(key: string, expected: string | undefined, next: string | undefined, expiresAt?: number): Promise<boolean> {
    return this.exclusively(async () => {
      const found = await this.#read(key)
      if (live(found)?.value !== expected) return false
      if (next === undefined) {
        if (found !== undefined) await this.#remove([key])
        return true
      }
      await this.#index.add(key, expiresAt ?? 0, found !== undefined)
      const held: Held = { key, value: next, ...(expiresAt !== undefined && { expiresAt }) }
      await this.values.write(accountOf(key), ascii(JSON.stringify(held)))
      if (expiresAt !== undefined) await this.#sweep()
      return true
    })
  }

  async keys(prefix: string): Promise<readonly string[]> {
    return this.exclusively(async () => {
      const listed = await this.#index.list()
      if (listed === undefined) await this.prove()
      const candidates = [...(listed?.keys() ?? [])].filter((key) => key.startsWith(prefix))
      const found: string[] = []
      for (const key of candidates) if (live(await this.#read(key)) !== undefined) found.push(key)
      return found
    })
  }

  /** Under the lock. A key that is listed without a record was left by somebody who was killed, and is taken off. */
  async #read(key: string): Promise<Held | undefined> {
    const found = await this.values.read(accountOf(key))
    if (found !== undefined) return decode(key, found)
    await this.prove()
    if (this.#index.has(key)) await this.#index.remove([key])
    return undefined
  }

  async #remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.values.remove(accountOf(key))
    await this.#index.remove(keys)
  }

  /** Nobody asks again for an abandoned login. */
  async #sweep(): Promise<void> {
    if (this.#swept !== 0 && performance.now() - this.#swept < SWEEP_MS) return
    this.#swept = performance.now()
    const due = [...((await this.#index.list()) ?? [])].filter(([, at]) => at !== 0 && at <= Date.now())
    for (const [key] of due) {
      const held = await this.#read(key)
      if (held !== undefined && live(held) === undefined) await this.#remove([key])
    }
  }
}

/**
 * Records in the keychain of the system: macOS Keychain, Windows Credential Manager, or the Secret Service on Linux. One
 * entry a record, cut into several where the system limits their size.
 *
 * A keychain that is locked, absent, or that this session cannot reach is found out at the first use and said. It is never
 * taken for an empty one, and no other store is used in its place.
 *
 * @throws CountersignError from the store's own methods, `store_unavailable` with what to do
 */
export function keychainStore(options: KeychainOptions = {}): Store {
  const keychain = new Keychain(options)
  const { name } = keychain.entries
  return {
    name,
    get: (key) => using('read', `${key} in ${name}`, () => keychain.get(key)),
    replace: (key, expected, next, { expiresAt } = {}) =>
      using('write', `${key} in ${name}`, () => keychain.replace(key, expected, next, expiresAt)),
    keys: (prefix) => using('list', `${prefix} in ${name}`, () => keychain.keys(prefix)),
  }
}

const live = (held: Held | undefined): Held | undefined =>
  held?.expiresAt !== undefined && held.expiresAt <= Date.now() ? undefined : held

/** What cannot be read has a value that says so: core discards it with a diagnostic, and a login may write over it. */
function decode(key: string, found: Whole): Held {
  const text = 'text' in found ? found.text : found.damaged
  try {
    const held: Held = JSON.parse(text)
    if ('text' in found && held.key === key && typeof held.value === 'string') return held
  } catch {
    // No JSON: told of below.
  }
  return { key, value: `unreadable record ${createHash('sha256').update(text).digest('hex')}` }
}

import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CountersignError } from '@countersign/core'
import { readDurable, removeDurable, writeDurable } from './durable-file.js'
import { type DerivedKey, type FileKey, type KeySource, keySource } from './file-keys.js'
import { underLock } from './file-lock.js'
import { privateDirectory } from './private-directory.js'
import { openRecord, SALT_BYTES, type StoredRecord, sealRecord } from './sealed-record.js'
import { absent } from './unavailable.js'

/** What the directory says of itself. No secret: salt and key ids only. */
interface About {
  readonly format: 1
  /** Base64. New records have this one; every record names its own. */
  readonly salt: string
  /** Hex. The keys that were ever the first of a ring here. */
  readonly keys: readonly string[]
}

/** A file, as it was found. */
export interface Found {
  readonly record: StoredRecord | undefined
  /** Whether the first key of the ring encrypted it. */
  readonly current: boolean
}

const ENDING = '.record'
const lockOf = (directory: string): string => join(directory, 'lock')

/** A directory of encrypted files, open with its keys. */
export class FileVault {
  readonly #directory: string
  readonly #ring: readonly KeySource[]
  readonly #primary: DerivedKey
  readonly #salt: Buffer

  private constructor(directory: string, ring: readonly KeySource[], primary: DerivedKey, salt: Buffer) {
    this.#directory = directory
    this.#ring = ring
    this.#primary = primary
    this.#salt = salt
  }

  /**
   * Sees that the directory is private and that one of the keys is its own, and makes it where there is none.
   *
   * @throws CountersignError `store_unavailable`
   */
  static async open(directory: string, keys: readonly FileKey[]): Promise<FileVault> {
    await privateDirectory(directory)
    const ring = await Promise.all(keys.map(keySource))
    const file = join(directory, 'about.json')
    // Without the lock, which a file system that can only be read does not give.
    const opened = await derive(directory, ring, parse(await readDurable(file)))
    const settled = opened.isNew ? await underLock(lockOf(directory), () => settle(directory, ring, file)) : opened
    return new FileVault(directory, ring, settled.primary, settled.salt)
  }

  /** The name of a record's file: keys may hold what no file system takes, and differ by case alone. */
  static nameOf(key: string): string {
    return `${createHash('sha256').update(JSON.stringify(key)).digest('hex')}${ENDING}`
  }

  /** Runs `work` while nobody else writes in the directory. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return underLock(lockOf(this.#directory), work)
  }

  /**
   * What the file of this name holds. One that cannot be read has a record all the same, whose value says so: core discards
   * it with a diagnostic, and a login may write over it.
   *
   * @throws CountersignError `store_unavailable` for a record that was written with another key or another version
   */
  async read(name: string): Promise<Found | undefined> {
    const file = await readDurable(join(this.#directory, name))
    if (file === undefined) return undefined
    const opened = file === 'oversized' ? { unreadable: 'it is too large' } : await openRecord(file, name, this.#ring)
    if ('record' in opened) return { record: opened.record, current: opened.by.equals(this.#primary.id) }
    const digest = file === 'oversized' ? '' : createHash('sha256').update(file).digest('hex')
    const value = `unreadable record, ${opened.unreadable} ${digest}`
    return { record: { key: '', value }, current: true }
  }

  write(name: string, record: StoredRecord): Promise<void> {
    return writeDurable(join(this.#directory, name), sealRecord(record, name, this.#primary, this.#salt))
  }

  remove(name: string): Promise<void> {
    return removeDurable(join(this.#directory, name))
  }

  /** The files of records. */
  async names(): Promise<readonly string[]> {
    const names = (await readdir(this.#directory).catch(absent)) ?? []
    return names.filter((name) => name.endsWith(ENDING))
  }
}

/** Under the lock: makes the first key of the ring one of the directory's own. */
async function settle(directory: string, ring: readonly KeySource[], file: string): Promise<Derived> {
  const about = parse(await readDurable(file))
  const derived = await derive(directory, ring, about)
  const { salt, primary, isNew } = derived
  if (isNew) {
    const keys = [...(about?.keys ?? []), primary.id.toString('hex')]
    const next: About = { format: 1, salt: salt.toString('base64'), keys }
    await writeDurable(file, JSON.stringify(next))
  }
  return derived
}

interface Derived {
  readonly salt: Buffer
  readonly primary: DerivedKey
  /** Whether the directory does not know the first key yet. */
  readonly isNew: boolean
}

async function derive(directory: string, ring: readonly KeySource[], about: About | undefined): Promise<Derived> {
  const salt = about === undefined ? randomBytes(SALT_BYTES) : Buffer.from(about.salt, 'base64')
  const all = await Promise.all(ring.map((source) => source.derive(salt)))
  const ids = all.map(({ id }) => id.toString('hex'))
  const known = about?.keys ?? []
  if (known.length > 0 && !ids.some((id) => known.includes(id))) throw wrongKey(directory, known, ids)
  return { salt, primary: all[0] as DerivedKey, isNew: !known.includes(ids[0] ?? '') }
}

/** What was damaged is made again: every record names the salt and the key that it needs. */
function parse(file: Buffer | 'oversized' | undefined): About | undefined {
  try {
    const about: About = JSON.parse(String(file))
    const fit = typeof about.salt === 'string' && Buffer.from(about.salt, 'base64').length === SALT_BYTES
    return fit && Array.isArray(about.keys) ? about : undefined
  } catch {
    return undefined
  }
}

const wrongKey = (directory: string, known: readonly string[], given: readonly string[]): CountersignError =>
  new CountersignError('store_unavailable', {
    step: 'open',
    expected: `${directory} to open with the key ${known.join(' or ')}`,
    received: `the key ${given.join(', ')}`,
    hint:
      'Give the key that the directory was made with; to rotate, put the new one before it. Nothing was changed. If that key is ' +
      'lost, delete the directory and sign in again.',
  })

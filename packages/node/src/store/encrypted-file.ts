import { resolve } from 'node:path'
import { CountersignError, type Store } from '@countersign/core'
import type { FileKey } from './file-keys.js'
import { FileVault, type Found } from './file-vault.js'
import { using } from './unavailable.js'

/** Where the files are, and what opens them. */
export interface EncryptedFileOptions {
  /** A directory of this user's own on a local disk. It is made, for this user alone, where there is none. */
  readonly directory: string
  /** One key, or several: the first encrypts, every one decrypts. */
  readonly key: FileKey | readonly FileKey[]
}

/** How often a write is taken as the moment to drop what has expired and to encrypt anew what has an old key. */
const SWEEP_MS = 600_000

/**
 * Records as encrypted files (AES-256-GCM), one each, for machines and sessions without a keychain. Files are this user's
 * alone, are replaced whole and reach the disk before a write is done. A short lock of the operating system makes the
 * compare-and-set hold between processes; readers take none.
 *
 * Nothing is opened before the first use.
 *
 * @throws CountersignError `options_invalid` without a directory or a key. Later, from the store's own methods,
 * `store_unavailable` with a hint: a wrong key, a directory that is a link, is not this user's or that others may write in,
 * a full disk, a lock that a stopped process holds.
 */
export function encryptedFileStore({ directory, key }: EncryptedFileOptions): Store {
  const keys = Array.isArray(key) ? (key as readonly FileKey[]) : [key as FileKey]
  if (!directory || keys.length === 0 || keys.some((each) => each === undefined)) {
    throw new CountersignError('options_invalid', {
      step: 'connect',
      expected: 'encryptedFileStore({ directory, key })',
    })
  }
  const path = resolve(directory)
  const name = `encrypted files in ${path}`

  let opening: Promise<FileVault> | undefined
  let swept = 0
  const vault = async (): Promise<FileVault> => {
    opening ??= FileVault.open(path, keys)
    try {
      return await opening
    } catch (error) {
      // What was wrong may be put right while the process runs.
      opening = undefined
      throw error
    }
  }

  return {
    name,
    get: (record) =>
      using(
        'read',
        `${record} in ${name}`,
        async () => live(await (await vault()).read(FileVault.nameOf(record)))?.value,
      ),

    replace: (record, expected, next, { expiresAt } = {}) =>
      using('write', `${record} in ${name}`, async () => {
        const files = await vault()
        const file = FileVault.nameOf(record)
        try {
          return await files.exclusively(async () => {
            const found = await files.read(file)
            if (live(found)?.value !== expected) return false
            if (next === undefined) {
              if (found !== undefined) await files.remove(file)
              return true
            }
            await files.write(file, { key: record, value: next, ...(expiresAt !== undefined && { expiresAt }) })
            if (performance.now() - swept > SWEEP_MS || swept === 0) {
              swept = performance.now()
              await sweep(files)
            }
            return true
          })
        } catch (error) {
          // Somebody may have deleted the directory: it is looked at again the next time.
          opening = undefined
          throw error
        }
      }),

    keys: (prefix) =>
      using('list', `${prefix} in ${name}`, async () => {
        const files = await vault()
        const found = await Promise.all((await files.names()).map((file) => readable(files, file)))
        return found.flatMap((each) => {
          const record = live(each)
          // Who can read this file had better be asked for it by its key.
          return record?.key.startsWith(prefix) && record.key !== '' ? [record.key] : []
        })
      }),
  }
}

const live = (found: Found | undefined): Found['record'] => {
  const record = found?.record
  return record?.expiresAt !== undefined && record.expiresAt <= Date.now() ? undefined : record
}

/** A neighbour that cannot be read is told of when it is asked for, and stands in nobody's way. */
const readable = (files: FileVault, file: string): Promise<Found | undefined> => files.read(file).catch(() => undefined)

/** Nobody asks again for an abandoned login, and a record that nobody writes keeps its old key. */
async function sweep(files: FileVault): Promise<void> {
  for (const file of await files.names()) {
    const found = await readable(files, file)
    if (found?.record === undefined) continue
    if (live(found) === undefined) await files.remove(file)
    else if (!found.current) await files.write(file, found.record)
  }
}

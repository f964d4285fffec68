import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Store } from '@countersign/core'

interface Stored {
  readonly key: string
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number
}

/** Longer than any test: a lock that is held for this long is a defect, and is said to be one. */
const LOCK_WAIT_MS = 10_000

/**
 * Records as plain files, one each, for tests alone: it encrypts nothing, and a lock whose holder died stays.
 *
 * A lock of its own (a directory, because making one is atomic everywhere) is held for the compare and the write, so that
 * it works between processes. Readers take no lock: a record appears by `rename`, whole or not at all.
 */
export function fileStore(directory: string): Store {
  const path = (key: string): string => join(directory, `${createHash('sha256').update(key).digest('hex')}.json`)

  const live = async (file: string): Promise<Stored | undefined> => {
    const text = await readFile(file, 'utf8').catch(absent)
    const stored: Stored | undefined = text === undefined ? undefined : JSON.parse(text)
    return stored?.expiresAt !== undefined && stored.expiresAt <= Date.now() ? undefined : stored
  }

  return {
    name: `files in ${directory}`,
    get: async (key) => (await live(path(key)))?.value,
    replace: async (key, expected, next, options) => {
      const file = path(key)
      await mkdir(directory, { recursive: true })
      await lock(`${file}.lock`)
      try {
        if ((await live(file))?.value !== expected) return false
        if (next === undefined) {
          await rm(file, { force: true })
          return true
        }
        const temporary = `${file}.${randomUUID()}.tmp`
        await writeFile(temporary, JSON.stringify({ key, value: next, ...options }), { mode: 0o600 })
        await rename(temporary, file)
        return true
      } finally {
        await rmdir(`${file}.lock`)
      }
    },
    keys: async (prefix) => {
      const names = (await readdir(directory).catch(absent)) ?? []
      const all = await Promise.all(names.filter((name) => name.endsWith('.json')).map((n) => live(join(directory, n))))
      return all.flatMap((stored) => (stored?.key.startsWith(prefix) ? [stored.key] : []))
    },
  }
}

async function lock(directory: string): Promise<void> {
  for (const until = Date.now() + LOCK_WAIT_MS; ; ) {
    try {
      await mkdir(directory)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (Date.now() > until) throw new Error(`${directory} is held by a process that does not let go`)
    }
    await delay(2)
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

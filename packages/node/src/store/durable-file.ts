import { constants } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { absent } from './unavailable.js'

/** More is no record of ours, and is not read into memory. */
const MOST_BYTES = 32 * 1024 * 1024
/** Windows refuses to replace a file while somebody reads it. */
const RENAME_TRIES = 20

/**
 * The bytes of a file, `undefined` where there is none.
 *
 * @returns `'oversized'` for more than 32 MiB
 */
export async function readDurable(file: string): Promise<Buffer | 'oversized' | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent)
  if (handle === undefined) return undefined
  try {
    const { size } = await handle.stat()
    return size > MOST_BYTES ? 'oversized' : await handle.readFile()
  } finally {
    await handle.close()
  }
}

/**
 * Writes a file so that whoever reads it, and whoever finds it after a crash, has the old bytes or the new ones: to a
 * temporary file of this user alone, to the disk, into place, and the place to the disk.
 *
 * One writer at a time in a directory: its lock must be held. What a killed one left is overwritten.
 */
export async function writeDurable(file: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(file), 'write.tmp')
  await rm(temporary, { force: true })
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await moved(temporary, file)
  } catch (error) {
    // A full disk should not keep half a record; a failure to clean up is not the one to tell of.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
  await syncDirectory(dirname(file))
}

/** Deletes a file for good. */
export async function removeDurable(file: string): Promise<void> {
  await rm(file, { force: true })
  await syncDirectory(dirname(file))
}

async function moved(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await rename(from, to)
    } catch (error) {
      const busy = ['EPERM', 'EACCES', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '')
      if (process.platform !== 'win32' || !busy || tries === RENAME_TRIES) throw error
    }
    await delay(10)
  }
}

/** Windows cannot open a directory, and keeps its entries by itself. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

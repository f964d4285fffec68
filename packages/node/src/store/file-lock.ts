import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { CountersignError } from '@countersign/core'
import { absent } from './unavailable.js'

/** It is held for a few milliseconds at a time: whoever waits as long as this waits for a process that was stopped. */
const WAIT_MS = 20_000
const POLL_MS = 8

/** The last of those who wait in this process, by file. */
const queues = new Map<string, Promise<unknown>>()

/**
 * Runs `work` while this process, and in it this call, holds the lock of a file.
 *
 * The operating system holds it, for as long as the file is open: a holder that died does not hold it, one that was
 * stopped does, and nothing breaks it by its age. The file stays; it is the same for everybody because nobody deletes it.
 *
 * @throws CountersignError `store_unavailable` after `waitMs` (20 s)
 */
export async function underLock<T>(file: string, work: () => Promise<T>, waitMs: number = WAIT_MS): Promise<T> {
  const until = performance.now() + waitMs
  const before = queues.get(file) ?? Promise.resolve()
  let done = (): void => undefined
  const mine = new Promise<void>((resolve) => {
    done = resolve
  })
  const tail = before.then(() => mine)
  queues.set(file, tail)
  try {
    await inTime(before, file, until)
    const handle = await lock(file, until)
    try {
      return await work()
    } finally {
      await handle.close()
    }
  } finally {
    done()
    void tail.then(() => queues.get(file) === tail && queues.delete(file))
  }
}

async function lock(file: string, until: number): Promise<FileHandle> {
  const { tryLock } = await locks()
  for (;;) {
    const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
    try {
      while (!tryLock(handle.fd)) {
        if (performance.now() > until) throw held(file)
        await delay(1 + Math.random() * POLL_MS)
      }
      // Somebody tidied up between opening and locking: that lock is nobody's.
      const [mine, there] = await Promise.all([handle.stat(), stat(file).catch(absent)])
      if (there?.ino === mine.ino) return handle
    } catch (error) {
      await handle.close()
      throw error
    }
    await handle.close()
  }
}

async function inTime(before: Promise<unknown>, file: string, until: number): Promise<void> {
  const timer = new AbortController()
  const late = delay(until - performance.now(), true, { signal: timer.signal }).catch(() => false)
  try {
    if ((await Promise.race([before, late])) === true) throw held(file)
  } finally {
    timer.abort()
  }
}

const held = (file: string): CountersignError =>
  new CountersignError('store_unavailable', {
    step: 'lock',
    expected: `${file} to be free`,
    received: 'a holder that does not let go',
    hint: 'A process that uses this store is stopped or hangs: end it, then try again.',
  })

/** Native code, loaded when the first lock is taken. */
async function locks(): Promise<typeof import('fs-native-extensions')> {
  try {
    return await import('fs-native-extensions')
  } catch (cause) {
    throw new CountersignError('store_unavailable', {
      step: 'lock',
      expected: 'file locks of the operating system (fs-native-extensions)',
      received: cause instanceof Error ? cause.message : String(cause),
      hint: `It has no build for ${process.platform} ${process.arch}, or was not installed. Pass a store of your own.`,
      cause,
    })
  }
}

import { CountersignError } from '@countersign/core'

/** What to do about what the system says, by its code. */
const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: free some space, then try again.',
  EDQUOT: 'The disk quota is used up: free some space, then try again.',
  EROFS: 'The file system is read-only: choose a directory that can be written to.',
  EACCES: 'Give this user the right to read and write the directory, or choose another.',
  EPERM: 'Give this user the right to read and write the directory, or choose another.',
  ENOTDIR: 'A part of the path is a file: choose another directory.',
  ELOOP: 'A symbolic link stands in its place: remove it.',
  ENOLCK: 'The file system has no locks: choose a directory on a local disk.',
  ENOTSUP: 'The file system has no locks: choose a directory on a local disk.',
}

/** The `store_unavailable` of a failed system call; an error of ours stays as it is. */
function unavailable(step: string, expected: string, cause: unknown): CountersignError {
  if (CountersignError.is(cause)) return cause
  const { code = '', message = String(cause) } = cause as NodeJS.ErrnoException
  return new CountersignError('store_unavailable', { step, expected, received: message, hint: HINTS[code], cause })
}

/** Runs one method of a store. @throws CountersignError `store_unavailable` */
export async function using<T>(step: string, expected: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw unavailable(step, expected, cause)
  }
}

/** What a file that may not be there comes to. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

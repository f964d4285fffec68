import { lstat, mkdir } from 'node:fs/promises'
import { CountersignError } from '@countersign/core'
import { absent } from './unavailable.js'

const OTHERS_MAY_WRITE = 0o022

/**
 * Makes the directory, for this user alone, or sees that the one that is there is fit for secrets: no symbolic link, this
 * user's own, and nobody else may write in it. Windows has no such modes, and what a user's profile holds is private there.
 *
 * @throws CountersignError `store_unavailable`
 */
export async function privateDirectory(directory: string): Promise<void> {
  let found = await lstat(directory).catch(absent)
  if (found === undefined) {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    found = await lstat(directory)
  }
  const refuse = (received: string, hint: string): never => {
    throw new CountersignError('store_unavailable', {
      step: 'open',
      expected: `a private ${directory}`,
      received,
      hint,
    })
  }
  if (found.isSymbolicLink()) refuse('a symbolic link', 'Name the directory that it leads to.')
  if (!found.isDirectory()) refuse('a file', 'Choose another directory.')
  const uid = process.getuid?.()
  if (uid === undefined) return
  // Root reads everything anyway, and a container's root often works in a directory of the host's user.
  if (uid !== 0 && found.uid !== uid) refuse(`the directory of user ${found.uid}`, 'Choose a directory of your own.')
  if (found.mode & OTHERS_MAY_WRITE) {
    refuse(`mode ${(found.mode & 0o777).toString(8)}`, `Others may write in it: chmod 700 ${directory}`)
  }
}

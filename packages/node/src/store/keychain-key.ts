import { randomBytes } from 'node:crypto'
import { CountersignError } from '@countersign/core'
import type { FileKey } from './file-keys.js'
import { Keychain, type KeychainOptions } from './keychain.js'

const ACCOUNT = 'file-key'

/**
 * A key for `encryptedFileStore` that lives in the keychain: 32 random bytes, made at first use. The keychain is then read
 * once a process, instead of once a record.
 *
 * @throws CountersignError when it is used, `store_unavailable`
 */
export function keychainKey(options: KeychainOptions = {}): FileKey {
  return {
    read: async () => {
      const keychain = new Keychain(options)
      const found =
        (await keychain.entries.read(ACCOUNT)) ??
        (await keychain.exclusively(async () => {
          const made = await keychain.entries.read(ACCOUNT)
          if (made !== undefined) return made
          await keychain.prove()
          const key = randomBytes(32).toString('base64')
          await keychain.entries.write(ACCOUNT, key)
          return key
        }))
      const bytes = Buffer.from(found, 'base64')
      if (bytes.length === 32) return bytes
      throw new CountersignError('store_unavailable', {
        step: 'open',
        expected: `32 bytes under "${ACCOUNT}" in ${keychain.entries.name}`,
        received: `${bytes.length} bytes`,
        hint: 'Put the key back. If it is lost, delete the entry and the directory of files, and sign in again.',
      })
    },
  }
}

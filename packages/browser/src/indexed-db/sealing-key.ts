import type { EncryptionKey } from '@countersign/core'
import { type Database, request } from './database.js'

/**
 * The key that this origin's records are encrypted with: made once, kept in the same database, and never seen. No script can
 * export it; a script of the origin can use it.
 */
export async function sealingKey({ run }: Database): Promise<EncryptionKey> {
  const kept = await run('readonly', 'sealing', load)
  if (kept) return kept
  const algorithm = { name: 'AES-GCM', length: 256 }
  const key = await crypto.subtle.generateKey(algorithm, false, ['encrypt', 'decrypt'])
  const made: EncryptionKey = { id: crypto.randomUUID(), key }
  return run('readwrite', 'sealing', async (table) => {
    // Another tab may have been faster, and has written with its own.
    const first = await load(table)
    if (!first) await request(table.put(made, 'key'))
    return first ?? made
  })
}

/** Undefined too for what is damaged: what it encrypted is lost either way. */
async function load(table: IDBObjectStore): Promise<EncryptionKey | undefined> {
  const found = await request<EncryptionKey | undefined>(table.get('key'))
  return found?.key instanceof CryptoKey ? found : undefined
}

import type { EncryptionKey } from '@countersign/core'
import { type Database, request } from './database.js'

/**
 * The key that this origin's records are encrypted with: made once, kept in the same database, and never seen. No script can
 * export it; a script of the origin can use it.
 */
export async function sealingKey(database: Database): Promise<EncryptionKey> {
  const kept = await database.run('readonly', 'sealing', (table) =>
    request<EncryptionKey | undefined>(table.get('key')),
  )
  if (kept) return kept
  const usages: KeyUsage[] = ['encrypt', 'decrypt']
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, usages)
  const made: EncryptionKey = { id: crypto.randomUUID(), key }
  return database.run('readwrite', 'sealing', async (table) => {
    // Another tab may have been faster, and has written with its own.
    const first = await request<EncryptionKey | undefined>(table.get('key'))
    if (!first) await request(table.put(made, 'key'))
    return first ?? made
  })
}

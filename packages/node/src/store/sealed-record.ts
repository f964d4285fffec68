import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { CountersignError } from '@countersign/core'
import type { DerivedKey, KeyKind, KeySource } from './file-keys.js'

/** A record as the file holds it, under its encryption. */
export interface StoredRecord {
  readonly key: string
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number
}

// The file: "CSR" and the format's number | kind of key, 1 byte | key id, 8 | salt, 16 | iv, 12 | ciphertext | tag, 16.
const MAGIC = Buffer.from('CSR1')
const KINDS: readonly KeyKind[] = ['key', 'passphrase', 'plain']
export const SALT_BYTES = 16
const [ID_AT, SALT_AT, IV_AT, TEXT_AT, TAG_BYTES] = [5, 13, 13 + SALT_BYTES, 25 + SALT_BYTES, 16] as const

/**
 * Encrypts a record with AES-256-GCM, bound to the header and to the name of its file: a file that was renamed or changed
 * does not open.
 */
export function sealRecord(record: StoredRecord, name: string, key: DerivedKey, salt: Buffer): Buffer {
  const iv = randomBytes(TEXT_AT - IV_AT)
  const header = Buffer.concat([MAGIC, Buffer.from([KINDS.indexOf(key.kind)]), key.id, salt, iv])
  const text = Buffer.from(JSON.stringify(record))
  if (key.kind === 'plain') return Buffer.concat([header, text, checksum(header, text, name)])
  const cipher = createCipheriv('aes-256-gcm', key.secret, iv).setAAD(bound(header, name))
  return Buffer.concat([header, cipher.update(text), cipher.final(), cipher.getAuthTag()])
}

/** A file that holds a record, or why it does not. */
export type OpenedRecord = { readonly record: StoredRecord; readonly by: Buffer } | { readonly unreadable: string }

/**
 * @returns the record and the id of its key, or what is wrong with the file
 * @throws CountersignError `store_unavailable` for a record that somebody can read: it has another key, or another format
 */
export async function openRecord(file: Buffer, name: string, ring: readonly KeySource[]): Promise<OpenedRecord> {
  const kind = KINDS[file[MAGIC.length] ?? -1]
  if (!file.subarray(0, 3).equals(MAGIC.subarray(0, 3))) return { unreadable: 'it is not a record' }
  if (!file.subarray(0, 4).equals(MAGIC)) throw foreign('a record of another format', 'Use the version that wrote it.')
  if (kind === undefined || file.length < TEXT_AT + TAG_BYTES) return { unreadable: 'it is cut short' }

  const [header, tag] = [file.subarray(0, TEXT_AT), file.subarray(-TAG_BYTES)]
  const [id, ciphertext] = [file.subarray(ID_AT, SALT_AT), file.subarray(TEXT_AT, -TAG_BYTES)]
  const key = await keyOf(kind, id, file.subarray(SALT_AT, IV_AT), ring)
  if (key === undefined) {
    const hint = 'Give the store this key too. If it is lost, delete the file and sign in again.'
    throw foreign(`a record encrypted with the key ${id.toString('hex')}, which was not given`, hint)
  }
  try {
    const text = kind === 'plain' ? plain(header, ciphertext, tag, name) : decrypt(header, ciphertext, tag, name, key)
    return { record: JSON.parse(text), by: key.id }
  } catch {
    return { unreadable: 'it was changed or moved' }
  }
}

async function keyOf(
  kind: KeyKind,
  id: Buffer,
  salt: Buffer,
  ring: readonly KeySource[],
): Promise<DerivedKey | undefined> {
  for (const source of ring) {
    if (source.kind !== kind) continue
    const key = await source.derive(salt)
    if (key.id.equals(id)) return key
  }
  return undefined
}

const bound = (header: Buffer, name: string): Buffer => Buffer.concat([header, Buffer.from(name)])

function decrypt(header: Buffer, ciphertext: Buffer, tag: Buffer, name: string, key: DerivedKey): string {
  const decipher = createDecipheriv('aes-256-gcm', key.secret, header.subarray(IV_AT), { authTagLength: TAG_BYTES })
  decipher.setAAD(bound(header, name)).setAuthTag(tag)
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString()
}

function plain(header: Buffer, text: Buffer, tag: Buffer, name: string): string {
  return checksum(header, text, name).equals(tag) ? text.toString() : ''
}

const checksum = (header: Buffer, text: Buffer, name: string): Buffer =>
  createHash('sha256').update(bound(header, name)).update(text).digest().subarray(0, TAG_BYTES)

const foreign = (received: string, hint: string): CountersignError =>
  new CountersignError('store_unavailable', { step: 'read', expected: 'a record of this store', received, hint })

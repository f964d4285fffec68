import { createHmac, scrypt } from 'node:crypto'
import { CountersignError, type Secret } from '@countersign/core'

/** Asks for a file store without encryption, by name: whoever can read the files has the logins. */
export const plainText: unique symbol = Symbol('countersign: plain text')

/**
 * Where the key of an encrypted file store comes from:
 *
 * - 32 random bytes
 * - `passphrase`: stretched with scrypt
 * - `env`: the name of an environment variable with 32 bytes in base64 or hex, or else a passphrase
 * - `read`: asked at first use, for a key that lives elsewhere, such as in the keychain (`keychainKey()`)
 * - `plainText`: no key at all
 */
export type FileKey =
  | Uint8Array
  | { readonly passphrase: Secret }
  | { readonly env: string }
  | { readonly read: () => Promise<Uint8Array> }
  | typeof plainText

/** How a record was encrypted; written in its header. */
export type KeyKind = 'key' | 'passphrase' | 'plain'

export interface DerivedKey {
  readonly kind: KeyKind
  /** 8 bytes that tell keys apart and say nothing about them. */
  readonly id: Buffer
  /** 32 bytes; empty for plain text. */
  readonly secret: Buffer
}

/** A key at hand: what it comes to with the salt of a store. */
export interface KeySource {
  readonly kind: KeyKind
  derive(salt: Buffer): Promise<DerivedKey>
}

const KEY_BYTES = 32
/** OWASP's second choice: 32 MiB and about a quarter of a second, once a process. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 }
const ENCODED_KEY = /^(?:[0-9a-f]{64}|[\w+/-]{43}=?)$/i
const SHORTEST_PASSPHRASE = 8

/**
 * Reads where the key is.
 *
 * @throws CountersignError `store_unavailable` for a variable that is not set, and for what is no key
 */
export async function keySource(key: FileKey): Promise<KeySource> {
  if (key === plainText) return raw('plain', Buffer.alloc(0))
  if ('env' in key) return fromText(environment(key.env), `the environment variable ${key.env}`)
  if ('read' in key) return fromBytes(await key.read())
  if (!('passphrase' in key)) return fromBytes(key)
  const { passphrase } = key
  return fromPassphrase(typeof passphrase === 'string' ? passphrase : await passphrase(), 'the passphrase')
}

function environment(name: string): string {
  const value = process.env[name]
  if (value) return value
  throw new CountersignError('store_unavailable', {
    step: 'open',
    expected: `a key in the environment variable ${name}`,
    received: value === undefined ? 'no such variable' : 'an empty one',
    hint: `Set ${name} to 32 random bytes in base64 (openssl rand -base64 32), in every process that uses the store.`,
  })
}

function fromText(text: string, where: string): KeySource {
  const trimmed = text.trim()
  if (!ENCODED_KEY.test(trimmed)) return fromPassphrase(text, where)
  const hex = trimmed.length === 2 * KEY_BYTES
  return fromBytes(Buffer.from(trimmed, hex ? 'hex' : 'base64'))
}

function fromBytes(bytes: Uint8Array): KeySource {
  if (bytes.length !== KEY_BYTES) weak(`a key of ${KEY_BYTES} bytes`, `${bytes.length} bytes`)
  return raw('key', Buffer.from(bytes))
}

function raw(kind: KeyKind, secret: Buffer): KeySource {
  const derived = { kind, id: keyId(secret), secret }
  return { kind, derive: async () => derived }
}

function fromPassphrase(text: string, where: string): KeySource {
  if (text.length < SHORTEST_PASSPHRASE) weak(`${where} to have at least ${SHORTEST_PASSPHRASE} characters`, 'fewer')
  const derived = new Map<string, Promise<DerivedKey>>()
  return {
    kind: 'passphrase',
    derive: (salt) => {
      const name = salt.toString('base64')
      const known = derived.get(name) ?? stretch(text, salt)
      derived.set(name, known)
      return known
    },
  }
}

const stretch = (passphrase: string, salt: Buffer): Promise<DerivedKey> =>
  new Promise((resolve, reject) => {
    // Normalised: the same passphrase is typed in more than one way.
    scrypt(passphrase.normalize('NFKC'), salt, KEY_BYTES, SCRYPT, (error, secret) => {
      if (error) reject(error)
      else resolve({ kind: 'passphrase', id: keyId(secret), secret })
    })
  })

const keyId = (secret: Buffer): Buffer =>
  secret.length === 0
    ? Buffer.alloc(8)
    : createHmac('sha256', secret).update('countersign key id').digest().subarray(0, 8)

function weak(expected: string, received: string): never {
  throw new CountersignError('store_unavailable', {
    step: 'open',
    expected,
    received,
    hint: 'Make a key with: openssl rand -base64 32',
  })
}

import { CountersignError } from '../errors/error.js'

/** A key of a key ring. */
export interface EncryptionKey {
  /** Stands in every value that the key encrypted, in the clear: letters, digits, `-` and `_`, at most 64. */
  readonly id: string
  /** 32 random bytes, or an AES-GCM key of 256 bits that may encrypt and decrypt. */
  readonly key: Uint8Array | CryptoKey
}

interface Opened {
  readonly value: string | undefined
  /** Why there is no value, in words that hold nothing secret. */
  readonly received: string
}

interface Sealing {
  /** @param bound - what the value belongs to: it opens with the same text only */
  seal(bound: string, text: string): Promise<string>
  open(bound: string, sealed: string): Promise<Opened>
}

const FORMAT = 'cse1'
const KEY_BYTES = 32
/** NIST SP 800-38D: 96 bits, random; 2^32 values a key is far more than a store ever writes. */
const IV_BYTES = 12

/**
 * Authenticated encryption of texts: `cse1.<key id>.<iv and ciphertext in base64>`.
 *
 * @throws CountersignError `options_invalid`
 */
export function sealing(keyRing: readonly EncryptionKey[]): Sealing {
  // Copies, so that the caller may overwrite its own bytes.
  const ring = new Map(keyRing.map(({ id, key }) => [id, isBytes(key) ? new Uint8Array(key) : key]))
  const [primary] = ring
  if (primary === undefined || ring.size < keyRing.length)
    invalid('a key ring of at least one key, each with its own id')
  for (const [id, key] of ring) check(id, key)
  const [primaryId, primaryKey] = primary

  const imported = new Map<string, Promise<CryptoKey>>()
  const load = (id: string, key: Uint8Array<ArrayBuffer> | CryptoKey): Promise<CryptoKey> => {
    const loaded = imported.get(id) ?? (isBytes(key) ? importKey(key) : Promise.resolve(key))
    imported.set(id, loaded)
    return loaded
  }

  return {
    seal: async (bound, text) => {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
      const key = await load(primaryId, primaryKey)
      // As JSON, because half a surrogate pair has no UTF-8.
      const data = new TextEncoder().encode(JSON.stringify(text))
      const ciphertext = new Uint8Array(await crypto.subtle.encrypt(parameters(iv, primaryId, bound), key, data))
      const all = new Uint8Array(IV_BYTES + ciphertext.length)
      all.set(iv)
      all.set(ciphertext, IV_BYTES)
      return `${FORMAT}.${primaryId}.${toBase64(all)}`
    },
    open: async (bound, sealed) => {
      const [format, id = '', text = '', ...more] = sealed.split('.')
      if (format !== FORMAT || more.length > 0) return failed('a value that was not encrypted in this format')
      const key = ring.get(id)
      if (key === undefined) return failed(`a value encrypted with the key "${id}", which the key ring does not have`)
      try {
        const all = fromBase64(text)
        const algorithm = parameters(all.slice(0, IV_BYTES), id, bound)
        const data = await crypto.subtle.decrypt(algorithm, await load(id, key), all.slice(IV_BYTES))
        return { value: JSON.parse(new TextDecoder().decode(data)), received: '' }
      } catch {
        // WebCrypto says no more than that.
        return failed(
          `a value that the key "${id}" does not open: it was changed, moved, or written with another key of that id`,
        )
      }
    },
  }
}

const failed = (received: string): Opened => ({ value: undefined, received })

const isBytes = <T extends Uint8Array>(key: T | CryptoKey): key is T => ArrayBuffer.isView(key)

function check(id: string, key: Uint8Array | CryptoKey): void {
  if (!/^[\w-]{1,64}$/.test(id)) invalid('a key id of 1 to 64 letters, digits, - and _', id)
  if (isBytes(key)) {
    if (key.length !== KEY_BYTES) invalid(`a key of ${KEY_BYTES} bytes`, `${key.length} bytes under the id "${id}"`)
    return
  }
  const { name, length } = key.algorithm as AesKeyAlgorithm
  if (name !== 'AES-GCM' || length !== 256) invalid('an AES-GCM key of 256 bits', `${name} under the id "${id}"`)
}

function invalid(expected: string, received?: string): never {
  throw new CountersignError('options_invalid', { step: 'connect', expected, received })
}

const importKey = (bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])

const parameters = (iv: Uint8Array<ArrayBuffer>, id: string, bound: string): AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: new TextEncoder().encode(JSON.stringify([FORMAT, id, bound])),
})

/** In pieces: a call takes only so many arguments. */
function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 8_192) binary += String.fromCharCode(...bytes.subarray(at, at + 8_192))
  return btoa(binary)
}

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0))

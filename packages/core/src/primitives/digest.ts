import { CountersignError } from '../errors/error.js'
import { encodeBase64url } from './base64url.js'

/**
 * The SHA-256 digest of the text's UTF-8 bytes, in base64url. Whatever reads or writes a record begins with one.
 *
 * @throws CountersignError `insecure_context`
 */
export async function sha256Base64url(text: string): Promise<string> {
  const { subtle } = crypto
  if (!subtle) throw new CountersignError('insecure_context', { step: 'open', expected: 'crypto.subtle' })
  return encodeBase64url(new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(text))))
}

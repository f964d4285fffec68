import { encodeBase64url } from './base64url.js'

/** The SHA-256 digest of the text's UTF-8 bytes, in base64url. */
export async function sha256Base64url(text: string): Promise<string> {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))
}

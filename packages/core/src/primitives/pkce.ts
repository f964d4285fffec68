import type { Random } from '../ports/random.js'
import { sha256Base64url } from './digest.js'
import { randomId } from './random-id.js'

/** A new `code_verifier`: 32 random bytes in base64url, 43 characters (RFC 7636 section 4.1). */
export const createCodeVerifier = (random: Random): string => randomId(random, 32)

/** The `code_challenge` of a `code_verifier` by the method S256 (RFC 7636 section 4.2). */
export const codeChallengeS256 = (code_verifier: string): Promise<string> => sha256Base64url(code_verifier)

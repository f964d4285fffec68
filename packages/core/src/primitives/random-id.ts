import type { Random } from '../ports/random.js'
import { encodeBase64url } from './base64url.js'

/**
 * A name that cannot be guessed and does not repeat, in base64url.
 *
 * @param bytes - entropy; the default of 16 is what RFC 6749 section 10.10 asks of a `state`
 */
export const randomId = (random: Random, bytes = 16): string => encodeBase64url(random(bytes))

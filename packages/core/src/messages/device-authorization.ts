import { isFilled, kindOf, type Parsed, parseJsonObject, readDocument, refuse } from './parsed.js'

/** The device authorization grant (RFC 8628 section 3.4). */
export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

/** The answer to a device authorization request (RFC 8628 section 3.2). URLs are not checked here. */
export interface DeviceAuthorization {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete?: string
  /** Seconds; absent although it is required: unknown. */
  readonly expires_in?: number
  /** Seconds between polls, 5 where the server does not say, and at least 1. */
  readonly interval: number
}

const OPTIONAL = {
  user_code: 'string',
  verification_uri: 'string',
  verification_url: 'string',
  verification_uri_complete: 'string',
  expires_in: 'seconds',
  interval: 'seconds',
} as const

/** What a person reads from a terminal and types: nothing that a terminal would obey. */
const READABLE = /^[^\p{C}]{1,64}$/u

/**
 * Reads a device authorization: numbers as strings, `verification_url` for `verification_uri`, as deployments write them, and
 * without an `expires_in`.
 */
export function parseDeviceAuthorization(text: string): Parsed<DeviceAuthorization> {
  const read = readDocument(parseJsonObject(text), 'device_code', OPTIONAL)
  if ('invalid' in read) return read
  const { verification_url, user_code, verification_uri = verification_url, interval = 5, ...rest } = read.value
  if (!isFilled(user_code)) return refuse('user_code: a string', kindOf(user_code))
  if (!READABLE.test(user_code)) return refuse('user_code: text that a person can type', 'something else')
  if (!isFilled(verification_uri)) return refuse('verification_uri: a string', kindOf(verification_uri))
  const tolerated = [...read.tolerated]
  if (read.value.verification_uri === undefined) {
    const names = { expected: 'verification_uri', received: 'verification_url' }
    tolerated.push({ code: 'verification_uri_misnamed', ...names })
  }
  if (rest.expires_in === undefined) {
    tolerated.push({ code: 'member_invalid', expected: 'expires_in: seconds', received: 'nothing usable' })
  }
  return { value: { ...rest, user_code, verification_uri, interval: Math.max(interval, 1) }, tolerated }
}

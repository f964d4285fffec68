import type { OAuthErrorBody } from '../errors/error.js'
import { isFilled, parseForm, parseJsonObject } from './parsed.js'

/**
 * The OAuth error that a body is, in JSON or as a form, whatever its status and media type (RFC 6749 section 5.2; F11, L53).
 *
 * @returns `undefined` if it is none; the texts are the server's own and not sanitised
 */
export function parseOAuthError(text: string): OAuthErrorBody | undefined {
  const parsed = parseJsonObject(text)
  const { error, error_description } = ('value' in parsed ? parsed.value : parseForm(text)) ?? {}
  if (!isFilled(error)) return undefined
  return isFilled(error_description) ? { error, error_description } : { error }
}

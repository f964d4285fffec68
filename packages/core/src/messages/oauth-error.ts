import type { OAuthErrorBody } from '../errors/error.js'
import { withoutSecrets } from '../errors/text.js'
import { isFilled, parseForm, parseJsonObject } from './parsed.js'

/**
 * The OAuth error that a body is, in JSON or as a form, whatever its status and media type (RFC 6749 section 5.2).
 *
 * @param secrets - what was sent in confidence, left out where the server repeats it
 * @returns `undefined` if it is none; the texts are the server's own and not sanitised
 */
export function parseOAuthError(
  text: string,
  secrets: readonly (string | undefined)[] = [],
): OAuthErrorBody | undefined {
  const parsed = parseJsonObject(text)
  const { error, error_description } = ('value' in parsed ? parsed.value : parseForm(text)) ?? {}
  if (!isFilled(error)) return undefined
  const body = { error: withoutSecrets(error, secrets) }
  return isFilled(error_description) ? { ...body, error_description: withoutSecrets(error_description, secrets) } : body
}

import { readFile } from 'node:fs/promises'
import { type AssertionSupplier, CountersignError } from '@countersign/core'

const failed = (expected: string, received: string, cause?: unknown): CountersignError =>
  new CountersignError('options_invalid', { step: 'acquire', expected, received, cause })

/**
 * The assertion in a file, read at each acquisition: a projected Kubernetes service account token, say.
 *
 * @throws CountersignError, when it is asked: `options_invalid`
 * @example
 * ```ts
 * workloadIdentity({ issuer, assertion: assertionFromFile('/var/run/secrets/tokens/mcp') })
 * ```
 */
export const assertionFromFile =
  (path: string): AssertionSupplier =>
  async () => {
    try {
      return filled(`an assertion in ${path}`, await readFile(path, 'utf8'))
    } catch (cause) {
      if (CountersignError.is(cause)) throw cause
      throw failed(`an assertion in ${path}`, 'a file that cannot be read', cause)
    }
  }

/**
 * The assertion in an environment variable, looked up at each acquisition.
 *
 * @throws CountersignError, when it is asked: `options_invalid`
 */
export const assertionFromEnvironment =
  (name: string): AssertionSupplier =>
  async () =>
    filled(`an assertion in the environment variable ${name}`, process.env[name] ?? '')

/** Of an answer, the text without the space around it: files and metadata servers end theirs with a line break. */
export function filled(expected: string, text: string): string {
  const assertion = text.trim()
  if (assertion === '') throw failed(expected, 'nothing')
  return assertion
}

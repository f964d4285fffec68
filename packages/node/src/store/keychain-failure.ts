import { CountersignError } from '@countersign/core'
import { OTHER_STORES } from './keytar.js'

/** What keychains say, and what it means. The first that fits is told. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/dismissed|locked|unlock|prompt/i, 'Unlock the keychain, then try again.'],
  [/interaction.{0,20}not allowed|-25308/i, 'This session cannot ask for the keychain to be unlocked.'],
  [/denied|cancel|-128\b|-25293/i, 'Access was denied: allow it when the system asks.'],
  [
    /d-?bus|DISPLAY|autolaunch|freedesktop|secret service|no result found|1312\b|logon session/i,
    'This session has no keychain: a scheduled job, a container or a remote shell often has none.',
  ],
]

/** The `store_unavailable` of a keychain, in plain words, with what else would do. */
export function keychainFailure(step: string, keychain: string, cause: unknown): CountersignError {
  if (CountersignError.is(cause)) return cause
  const received = cause instanceof Error ? cause.message : String(cause)
  const meaning = MEANINGS.find(([pattern]) => pattern.test(received))?.[1] ?? 'See that the keychain works.'
  return new CountersignError('store_unavailable', {
    step,
    expected: `${keychain} to answer`,
    received,
    hint: `${meaning} ${OTHER_STORES}`,
    cause,
  })
}

/** It answered, but not with what was written a moment ago: locked, to some, means empty. */
export const untrue = (keychain: string, received: string): CountersignError =>
  new CountersignError('store_unavailable', {
    step: 'probe',
    expected: `${keychain} to give back what was written to it`,
    received,
    hint: `It may be locked, or keep nothing: unlock it, then try again. ${OTHER_STORES}`,
  })

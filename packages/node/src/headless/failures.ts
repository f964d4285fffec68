import { CountersignError } from '@countersign/core'

/** The host's own function has failed, which was to show something to the person. */
export const hostFailed = (url: string, option: string, cause: unknown): CountersignError =>
  new CountersignError('browser_not_opened', {
    step: 'present',
    url,
    expected: 'the host to reach the person',
    received: 'an exception',
    hint: `Correct the function in ${option}.`,
    cause,
  })

/** Another page than `way` has prepared. */
export const otherPage = (url: string, expected: string, received: string): CountersignError =>
  new CountersignError('user_agent_unsuitable', { step: 'present', url, expected, received })

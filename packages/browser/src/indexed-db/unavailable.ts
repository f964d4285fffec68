import { CountersignError } from '@countersign/core'

const DENIED = 'The browser keeps no data for this page: a private window, or a setting. Allow it.'

/** What a person can do, by the name of what the browser threw. */
const remedies: Readonly<Record<string, string>> = {
  SecurityError: DENIED,
  InvalidStateError: DENIED,
  // How a private window says that it keeps no keys.
  DataCloneError: DENIED,
  QuotaExceededError: 'There is no room: free some of the disk, or of what this site has stored.',
  NotSupportedError: 'It takes a browser that has IndexedDB.',
  VersionError: 'Another tab has a newer version of this application: reload this one.',
  TimeoutError: 'Another tab of this application holds the data up: close the others, or reload them.',
}

/** What the browser said when it would not keep or give the data, and what helps. */
export function unavailable(database: string, cause: unknown): CountersignError {
  const { name = '', message = '' } = (cause ?? {}) as Partial<Error>
  // Chromium has one name for this and for much else.
  const remedy = /denied/.test(message)
    ? DENIED
    : (remedies[name] ?? "The data may be damaged: reload, and if that does not help, clear this site's data.")
  return new CountersignError('store_unavailable', {
    step: 'open',
    expected: `the database ${database} in IndexedDB`,
    received: `${name || 'nothing'}: ${message}`,
    hint: `${remedy} Else pass store: memoryStore(), whose logins end with the page.`,
    cause,
  })
}

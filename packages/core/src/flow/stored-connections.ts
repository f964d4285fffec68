import { CountersignError } from '../errors/error.js'
import { defined } from '../primitives/defined.js'
import { grantedOf, renewable } from './current-token.js'
import type { Runtime } from './runtime.js'

/** A login that the store holds. */
export interface StoredConnection {
  /** The MCP server as `connect` takes it, with its query, which can be a secret. */
  readonly url: string
  /** Whose login it is; absent: the only one. */
  readonly account?: string
  /** The authorization server, in its own words (RFC 8414 section 2). */
  readonly issuer: string
  /** Granted scope, space-separated; what was asked for, where the server did not say what it granted. */
  readonly scope?: string
  /** When the access token expires or has expired, in milliseconds since the epoch; absent: unknown. */
  readonly expiresAt?: number
  /** Whether there is a refresh token that may still be sent. */
  readonly renewable: boolean
}

/**
 * The logins of this application, by URL and account. One that cannot be read is told of and left alone.
 *
 * @throws CountersignError `store_unavailable`
 */
export async function storedConnections({ records, emit }: Runtime): Promise<readonly StoredConnection[]> {
  const keys = await records.keys('grant')
  const read = await Promise.allSettled(keys.map((key) => records.read('grant', key)))
  const stored = read.flatMap((result, index) => {
    if (result.status === 'rejected') {
      // Nothing at all can be read: that is no list of nothing.
      if (read.every(({ status }) => status === 'rejected') || !CountersignError.is(result.reason)) throw result.reason
      const { expected = '', received = '' } = result.reason
      const diagnostic = { code: 'record_unreadable', url: keys[index] ?? '', expected, received } as const
      emit({ type: 'diagnostic', level: 'warn', diagnostic })
      return []
    }
    const { value } = result.value
    const granted = grantedOf(value)
    if (granted === undefined) return []
    const { request, target, tokens } = granted
    return [
      defined({
        url: request.url,
        account: request.account,
        issuer: target.issuer,
        scope: tokens.scope ?? target.scope,
        expiresAt: tokens.expires_at,
        renewable: renewable(value),
      }),
    ]
  })
  const order = ({ url, account = '' }: StoredConnection): string => `${url}\n${account}`
  return stored.sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

import type { Grant } from '../../packages/core/src/flow/grant.js'
import type { seedGrant } from '../support/seeded.js'
import { START } from '../support/simulated-clock.js'
import { ISSUER, URL_OF_SERVER } from './documents.js'
import { LIFE, type TokenServer } from './token-server.js'
import type { World } from './world.js'

/** The tokens of a record, as the numbers that the server issued them under. */
export function tokensIn(grant: Grant | undefined) {
  if (grant === undefined || grant.phase === 'absent') return undefined
  const { access_token, refresh_token = '', scope = '' } = grant.granted.tokens
  return {
    access: Number(access_token.slice(1)),
    refresh: Number(refresh_token.slice(1)),
    scopes: scope.split(' ').length,
  }
}

/** How long the access token of an earlier login has left, in seconds. */
const LEFT = 20

/** A login that an earlier process has left. */
export function loginBefore(world: World, server: TokenServer): Parameters<typeof seedGrant>[1] {
  const { access, refresh } = server.begin(LEFT)
  const issued_at = START - (LIFE - LEFT) * 1_000
  const lease = { id: 'gone', holder: 'gone', taken_at: START, lasts_ms: 90_000, sent: true } as const
  return {
    url: URL_OF_SERVER,
    tokens: {
      access_token: `a${access}`,
      token_type: 'Bearer',
      refresh_token: `r${refresh}`,
      scope: 'read',
      issued_at,
      ...(!world.noExpiry && { expires_at: issued_at + LIFE * 1_000 }),
    },
    target: {
      issuer: ISSUER,
      token_endpoint: `${ISSUER}/token`,
      authorization_endpoint: `${ISSUER}/authorize`,
      revocation_endpoint: `${ISSUER}/revoke`,
      iss_parameter: false,
    },
    client: { client_id: 'client', origin: 'registered' },
    record: world.orphan ? { lease } : {},
  }
}

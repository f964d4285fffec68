import { CountersignError } from '../errors/error.js'
import { publicUrl, withoutSecrets } from '../errors/text.js'
import type { BearerChallenge } from '../messages/bearer-challenge.js'
import { kindOf } from '../messages/parsed.js'
import type { Tokens } from '../messages/token-response.js'
import { jwtClaims } from '../primitives/jwt-claims.js'
import { includesScope } from '../primitives/scope.js'
import type { ConnectionCore } from './connection-core.js'
import { targetOf } from './current-token.js'
import type { Rung } from './ladder.js'

/** A request that was refused, after all that could be tried. */
export interface Refusal {
  readonly core: ConnectionCore
  readonly url: string
  readonly status: 401 | 403
  readonly done: ReadonlySet<Rung>
  readonly sent: Tokens | undefined
  readonly challenge: BearerChallenge
  /** What the challenge asks for that was never requested. */
  readonly added: readonly string[]
}

const step = 'authorize'

/** The error that is left after the last rung of the ladder. */
export function refusalError({ core, url, status, done, sent, challenge, added }: Refusal): CountersignError {
  if (status === 401) {
    if (done.has('sign_in') || done.has('step_up') || (core.acquires && core.renewable))
      return rejected(core, url, sent, challenge)
    core.status.set({ personNeeded: !core.signedOut })
    return core.interactionRequired(sent === undefined && !done.has('refresh') ? 'no_login' : 'login_ended')
  }
  const refused = challenge.scope !== undefined && core.refusedScopes?.has(challenge.scope)
  // Who has pinned a scope wants no other: that is for the host to change, and no question for a person.
  if (added.length > 0 && !refused && core.options.scope === undefined && !done.has('step_up')) {
    return core.interactionRequired('more_scope', core.wider(challenge.scope))
  }
  const asked = core.wider() ?? 'none'
  return new CountersignError('insufficient_scope', {
    step,
    url,
    expected: `scope ${challenge.scope ?? 'that the server does not name'}`,
    received: `scope ${sent?.scope ?? asked}, asked for: ${asked}${refused ? '; more was refused before' : ''}`,
    ...(added.length === 0 && { action: 'contact_operator', hint: hintOf(challenge.scope, sent?.scope ?? asked) }),
  })
}

/** Asking again for what was asked for already changes nothing: what does, depends on what the server says. */
function hintOf(challenged: string | undefined, granted: string): string {
  if (challenged === undefined) return 'The server does not say which: call authorize({ scope }) with the one it needs.'
  return includesScope(granted, challenged)
    ? 'The server refuses a scope that the token has: report it to its operator.'
    : 'It was asked for: the authorization server grants less than this server wants.'
}

/** A new token was refused too. What a JWT says of itself usually shows why: it is for somebody else. */
function rejected(
  core: ConnectionCore,
  url: string,
  sent: Tokens | undefined,
  challenge: BearerChallenge,
): CountersignError {
  const target = targetOf(core.held.known)
  const claims = sent && jwtClaims(sent.access_token)
  const words = [challenge.error, challenge.error_description].filter((text) => text !== undefined).join(': ')
  const said = withoutSecrets(words, [sent?.access_token])
  return new CountersignError('credentials_rejected', {
    step,
    url,
    expected: `aud ${target?.resource_parameter ?? publicUrl(url)}, iss ${target?.issuer ?? '?'}, scope ${target?.scope ?? '(none)'}`,
    // Capped, so that a long text of the server's does not push the claims out.
    received: `HTTP 401${said && ` ${said.slice(0, 200)}`} for ${
      claims === undefined
        ? 'an opaque token'
        : `a token with aud ${show(claims.aud)}, iss ${show(claims.iss)}, scope ${show(claims.scope ?? claims.scp)}`
    }`,
  })
}

/** What is no text and no number has nothing to show, and may not even become a text. */
const show = (claim: unknown = '(none)'): string =>
  [claim]
    .flat()
    .map((part) => (typeof part === 'object' ? kindOf(part) : String(part)))
    .join(' ')

import type { Answer } from './answer.js'
import type { ScriptableRequest } from './scriptable.js'

interface Issued {
  readonly family: Set<string>
  /** When it was spent, and the token that was given for it. */
  spent?: { readonly at: number; readonly successor: string }
}

/**
 * The token endpoint of a server that forgives: who presents a refresh token again within the grace period gets what it was
 * given for it the first time; who comes later, or whose new token is in use already, has the whole login revoked.
 */
export function graceTokenEndpoint({ now, graceMs }: { readonly now: () => number; readonly graceMs: number }) {
  const issued = new Map<string, Issued>()
  let counter = 0

  const tokens = (refreshToken: string): Answer => ({
    json: {
      access_token: `grace-access-token-${++counter}`,
      token_type: 'Bearer',
      expires_in: 300,
      refresh_token: refreshToken,
    },
  })
  const issue = (family: Set<string>): string => {
    const token = `grace-refresh-token-${++counter}`
    family.add(token)
    issued.set(token, { family })
    return token
  }
  const refused: Answer = { status: 400, json: { error: 'invalid_grant' } }

  return (request: ScriptableRequest): Answer => {
    const form = new URLSearchParams(request.body)
    if (form.get('grant_type') !== 'refresh_token') return tokens(issue(new Set()))
    const presented = issued.get(form.get('refresh_token') ?? '')
    if (presented === undefined) return refused
    const { family, spent } = presented
    if (spent === undefined) {
      const successor = issue(family)
      presented.spent = { at: now(), successor }
      return tokens(successor)
    }
    const next = issued.get(spent.successor)
    if (now() - spent.at <= graceMs && next !== undefined && next.spent === undefined) return tokens(spent.successor)
    for (const token of family) issued.delete(token)
    return refused
  }
}

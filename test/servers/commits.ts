import type Provider from 'oidc-provider'

/** A moment from which on what a client presented is spent, and what it got for it is good. Has the secrets themselves. */
export interface Commit {
  /** Milliseconds since the epoch, with fractions, comparable between the processes of a machine. */
  readonly at: number
  readonly grantType: string
  /** The code or refresh token that was spent. */
  readonly presented: string
  readonly accessToken: string
  readonly refreshToken: string
}

/** Now, to the microsecond: what `Date.now` rounds. */
export const preciseNow = (): number => performance.timeOrigin + performance.now()

/** Keeps what a provider commits at its token endpoint, in order. */
export function watchCommits(provider: Provider): readonly Commit[] {
  const commits: Commit[] = []
  const consumedAt = new WeakMap<object, number>()
  const consumed = (spent: object): void => {
    consumedAt.set(spent, preciseNow())
  }
  provider.on('refresh_token.consumed', consumed)
  provider.on('authorization_code.consumed', consumed)
  provider.on('grant.success', (ctx) => {
    const { params, entities } = ctx.oidc
    const spent = entities.RotatedRefreshToken ?? entities.AuthorizationCode
    const at = spent && consumedAt.get(spent)
    if (at === undefined || params === undefined) return
    const { access_token, refresh_token } = ctx.body as Record<string, string>
    commits.push({
      at,
      grantType: String(params.grant_type),
      presented: String(params.refresh_token ?? params.code),
      accessToken: access_token ?? '',
      refreshToken: refresh_token ?? '',
    })
  })
  return commits
}

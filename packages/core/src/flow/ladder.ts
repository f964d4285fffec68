/** What a refused request can lead to, from the least to the most. */
export type Rung = 'retry_current' | 'nonce' | 'refresh' | 'sign_in' | 'step_up' | 'fail'

/** All that decides about a refused request. */
export interface Refused {
  readonly status: 401 | 403
  /** The token that was refused is the one the record holds now. */
  readonly sent_current: boolean
  /** The issuer that the tokens came from is still one that the resource lists. */
  readonly issuer_listed: boolean
  readonly refreshable: boolean
  /** The challenge names a scope that was not yet requested for this grant. */
  readonly adds_scope: boolean
  /** A login may be opened for this request. */
  readonly may_sign_in: boolean
  /** What was refused is the proof, and no token would change that; `nonce`: for want of one that is known by now. */
  readonly proof?: 'nonce' | 'proof' | undefined
  readonly done: ReadonlySet<Rung>
}

/** Every rung at most once for a request, at most one page for a person; the order is the rule. */
export function nextRung(r: Refused): Rung {
  const can = (rung: Rung): boolean => !r.done.has(rung)
  const noPageYet = can('sign_in') && can('step_up')
  // Before anything else for a 403 too: a step-up that another request made may have brought the scope already.
  if (!r.sent_current && can('retry_current')) return 'retry_current'
  if (r.proof) return r.proof === 'nonce' && can('nonce') ? 'nonce' : 'fail'
  if (r.status === 403) return r.adds_scope && r.may_sign_in && noPageYet ? 'step_up' : 'fail'
  if (r.issuer_listed && r.refreshable && can('refresh') && can('sign_in')) return 'refresh'
  return r.may_sign_in && noPageYet ? 'sign_in' : 'fail'
}

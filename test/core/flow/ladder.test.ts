import { describe, expect, test } from 'vitest'
import { nextRung, type Refused, type Rung } from '../../../packages/core/src/flow/ladder.js'
import { table, written } from '../../support/edges.js'

const never = new Set<Rung>()
/** A request with the current token, of a login that can be renewed, while a person can be asked. */
const usual: Refused = {
  status: 401,
  sent_current: true,
  issuer_listed: true,
  refreshable: true,
  adds_scope: false,
  may_sign_in: true,
  done: never,
}

/** The rungs that a request climbs while the server goes on refusing it in the same way. */
function climb(refused: Partial<Refused>): readonly Rung[] {
  const path: Rung[] = []
  for (;;) {
    const sent_current = path.length > 0 || (refused.sent_current ?? usual.sent_current)
    const rung = nextRung({ ...usual, ...refused, sent_current, done: new Set(path) })
    path.push(rung)
    if (rung === 'fail') return path
    if (path.length > 5) throw new Error(`no end: ${path.join(' > ')}`)
  }
}

const climbs = (cases: readonly (readonly [string, Partial<Refused>])[]): string =>
  table(cases.map(([name, refused]) => [name, climb(refused).join(' > ')]))

describe('the ladder: what a refused request leads to', () => {
  test('a 401 that never ends', () => {
    expect(
      climbs([
        ['with the current token', {}],
        ['with an older token', { sent_current: false }],
        ['nothing to refresh with', { refreshable: false }],
        ['the issuer is no longer listed', { issuer_listed: false }],
        ['nobody can be asked', { may_sign_in: false }],
        ['nobody can be asked, an older token', { may_sign_in: false, sent_current: false }],
        ['nobody can be asked, nothing to refresh with', { may_sign_in: false, refreshable: false }],
        ['nobody can be asked, no issuer', { may_sign_in: false, issuer_listed: false }],
        ['a scope that was not asked for yet', { adds_scope: true }],
      ]),
    ).toBe(
      written(`
        with the current token                       | refresh > sign_in > fail
        with an older token                          | retry_current > refresh > sign_in > fail
        nothing to refresh with                      | sign_in > fail
        the issuer is no longer listed               | sign_in > fail
        nobody can be asked                          | refresh > fail
        nobody can be asked, an older token          | retry_current > refresh > fail
        nobody can be asked, nothing to refresh with | fail
        nobody can be asked, no issuer               | fail
        a scope that was not asked for yet           | refresh > sign_in > fail`),
    )
  })

  test('a 403 insufficient_scope that never ends', () => {
    const status = 403 as const
    expect(
      climbs([
        ['a scope that was not asked for yet', { status, adds_scope: true }],
        ['a scope that was asked for already', { status, adds_scope: false }],
        ['nobody can be asked', { status, adds_scope: true, may_sign_in: false }],
        ['an older token', { status, adds_scope: true, sent_current: false }],
      ]),
    ).toBe(
      written(`
        a scope that was not asked for yet | step_up > fail
        a scope that was asked for already | fail
        nobody can be asked                | fail
        an older token                     | retry_current > step_up > fail`),
    )
  })

  test('a proof that is refused: no other token would change that, only a nonce', () => {
    expect(
      climbs([
        ['it lacks a nonce', { proof: 'nonce' }],
        ['it lacks a nonce, and an older token', { proof: 'nonce', sent_current: false }],
        ['it has what was asked for', { proof: 'proof' }],
        ['it has what was asked for, and nobody can be asked', { proof: 'proof', may_sign_in: false }],
      ]),
    ).toBe(
      written(`
        it lacks a nonce                                   | nonce > fail
        it lacks a nonce, and an older token               | retry_current > nonce > fail
        it has what was asked for                          | fail
        it has what was asked for, and nobody can be asked | fail`),
    )
  })

  test('a person who has just signed in is not asked for more, nor the other way round', () => {
    const afterSignIn = { ...usual, done: new Set<Rung>(['sign_in']) }
    expect(nextRung({ ...afterSignIn, status: 403, adds_scope: true })).toBe('fail')
    expect(nextRung({ ...usual, done: new Set<Rung>(['step_up']), refreshable: false })).toBe('fail')
  })

  test('a token that is minutes old is not refreshed: after a login, nothing but its rejection is left to say', () => {
    expect(nextRung({ ...usual, done: new Set<Rung>(['sign_in']) })).toBe('fail')
  })
})

test('whatever the server answers, every rung is taken at most once, and at most one page is shown', {
  tags: 'mcp/retry-limits',
}, () => {
  const both = [false, true]
  const paths: (readonly Rung[])[] = []
  const go = (fixed: Partial<Refused>, path: readonly Rung[]): void => {
    paths.push(path)
    for (const status of [401, 403] as const) {
      for (const adds_scope of both) {
        for (const sent_current of both) {
          const rung = nextRung({ ...usual, ...fixed, status, adds_scope, sent_current, done: new Set(path) })
          if (rung === 'fail') continue
          expect(path, `${rung} after ${path.join(' > ')}`).not.toContain(rung)
          go(fixed, [...path, rung])
        }
      }
    }
  }
  for (const may_sign_in of both) {
    for (const refreshable of both)
      for (const issuer_listed of both) go({ may_sign_in, refreshable, issuer_listed }, [])
  }
  const pages = (path: readonly Rung[]): number => path.filter((r) => r === 'sign_in' || r === 'step_up').length
  expect(Math.max(...paths.map(pages))).toBe(1)
  expect(Math.max(...paths.map((path) => path.length))).toBe(3)
  expect([...new Set(paths.flat())].sort()).toEqual(['refresh', 'retry_current', 'sign_in', 'step_up'])
})

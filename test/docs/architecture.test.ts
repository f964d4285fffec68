import { describe, expect, it } from 'vitest'
import { type Attempt, type AttemptEvent, attempt, attemptCommands } from '../../packages/core/src/flow/attempt.js'
import { type Grant, type GrantEvent, grant } from '../../packages/core/src/flow/grant.js'
import { attempts, client, device, granted, redirect, target, tokens } from '../core/flow/login-fixtures.js'
import { blocks, read } from './support.js'

/** `from --> to: event` for every edge of a state diagram that has an event. */
async function drawn(which: number): Promise<readonly string[]> {
  const diagram = blocks(await read('docs/architecture.md'), 'mermaid')[which] ?? ''
  return [...diagram.matchAll(/^ *(\w+) --> (\w+): (.*)$/gm)]
    .flatMap(([, from, to, events = '']) => events.split(', ').map((event) => `${from} --> ${to}: ${event}`))
    .sort()
}

/** The edges that a machine has, through these states and events; those of `left` are not drawn. */
function edges<S extends { readonly phase: string }, E extends { readonly type: string }>(
  states: readonly S[],
  events: readonly E[],
  transition: (state: S, event: E) => S,
  draws: (from: S, to: S) => boolean,
): readonly string[] {
  const found = states.flatMap((from) =>
    events.flatMap((event) => {
      const to = transition(from, event)
      return to !== from && draws(from, to) ? [`${from.phase} --> ${to.phase}: ${event.type}`] : []
    }),
  )
  return [...new Set(found)].sort()
}

describe('the diagrams of docs/architecture.md', () => {
  it('draw the attempt, but for its failures', async () => {
    const events: readonly AttemptEvent[] = [
      { type: 'target_discovered', target },
      { type: 'client_ready', client },
      { type: 'client_not_needed' },
      { type: 'request_prepared', pending: redirect },
      { type: 'request_prepared', pending: device },
      { type: 'code_received', state: redirect.state, code: 'k' },
      { type: 'tokens_issued', tokens },
      { type: 'client_forgotten' },
    ]
    const states: readonly Attempt[] = Object.values(attempts)
    expect(await drawn(0)).toEqual(edges(states, events, attempt, (_, to) => to.phase !== 'failed'))
  })

  it('draw the grant, where its phase or its tokens change', async () => {
    const lease = { id: 'L', holder: '', taken_at: 0, lasts_ms: 1, sent: true } as const
    const held = { grant: 'g', granted, turn: 1, got: 0, lease } as const
    const states: readonly Grant[] = [
      { phase: 'absent', turn: 1, got: 0, lease },
      { phase: 'valid', ...held },
      { phase: 'spent', ...held },
    ]
    const fresh = { ...tokens, access_token: 'a2', refresh_token: 'r2' }
    const events: readonly GrantEvent[] = [
      { type: 'leased', lease },
      { type: 'sent', id: 'L' },
      { type: 'released', id: 'L' },
      { type: 'granted', turn: 1, id: 'L', grant: 'h', granted: { ...granted, tokens: fresh } },
      { type: 'refreshed', turn: 1, id: 'L', grant: 'g', from: granted, tokens: fresh },
      { type: 'deferred', id: 'L', retry_at: 1 },
      { type: 'unanswered', id: 'L', retry_at: 1 },
      { type: 'rejected', id: 'L', grant: 'g', got: 0 },
      { type: 'signed_out', lease: { id: 'M', holder: '', taken_at: 0, lasts_ms: 1 } },
    ]
    const changes = (from: Grant, to: Grant): boolean => from.phase !== to.phase || from.got !== to.got
    const found = edges(states, events, grant, changes).filter((edge) => edge !== 'absent --> absent: signed_out')
    expect(await drawn(1)).toEqual(found)
  })

  it('and the table beside them has every state of the attempt', async () => {
    const text = await read('docs/architecture.md')
    for (const phase of Object.keys(attemptCommands)) expect(text).toMatch(new RegExp(`^\\| .*\`${phase}\`.* \\|`, 'm'))
  })
})

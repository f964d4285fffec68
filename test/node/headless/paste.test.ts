import type { Presentation } from '@countersign/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type PasteNeed, paste } from '../../../packages/node/src/headless/paste.js'
import { comeBack, isFree, page } from '../loopback/login.js'
import { pause, stateOf } from '../support.js'
import { BOTH, begin, DEVICE_ONLY, devicePage, REDIRECT_ONLY, refusal, terminal } from './begin.js'

const begun: Presentation[] = []
afterEach(() => Promise.all(begun.splice(0).map((login) => login.end({ ok: true }))))

/** A login whose person is asked by `ask`. */
async function login(ask?: (need: PasteNeed) => Promise<string | undefined>, signal?: AbortSignal) {
  const presentation = begin(paste(ask && { ask }), signal)
  begun.push(presentation)
  const way = await presentation.way(REDIRECT_ONLY)
  if (way?.kind !== 'redirect') return expect.unreachable('a redirect was expected')
  return { presentation, redirect: new URL(way.redirectUri) }
}

describe('paste()', () => {
  it('asks for the address that the page ends at, and takes the response out of it', async () => {
    const needs: PasteNeed[] = []
    const { presentation, redirect } = await login(async (need) => {
      needs.push(need)
      return `${need.redirectUri}?code=c1&state=s1&iss=https%3A%2F%2Fas.example`
    })
    const response = (await presentation.present(page())) as URLSearchParams
    expect(Object.fromEntries(response)).toEqual({ code: 'c1', state: 's1', iss: 'https://as.example' })
    expect(needs).toEqual([
      {
        server: 'mcp.example:8443',
        authorizationUrl: 'https://as.example/authorize?client_id=c&state=s1',
        redirectUri: redirect.href,
        signal: expect.any(AbortSignal),
      },
    ])
    expect(needs[0]?.signal.aborted).toBe(true)
    await presentation.end({ ok: true })
    expect(await isFree(Number(redirect.port))).toBe(true)
  })

  it('refuses a bare code, and an answer to another sign-in, and asks again', async () => {
    const problems: (string | undefined)[] = []
    const pasted = ['c1', 'URI?code=c1&state=other', 'URI?code=c2&state=s1']
    const { presentation } = await login(async ({ problem, redirectUri }) => {
      problems.push(problem)
      return pasted.shift()?.replace('URI', redirectUri)
    })
    expect(((await presentation.present(page())) as URLSearchParams).get('code')).toBe('c2')
    expect(problems).toEqual([
      undefined,
      expect.stringContaining('a code alone is not enough'),
      expect.stringContaining('answers another sign-in'),
    ])
  })

  it('the listener is there all the same: what comes first counts, and nobody is asked any more', async () => {
    let given: AbortSignal | undefined
    const { presentation, redirect } = await login(({ signal }) => {
      given = signal
      return new Promise(() => undefined)
    })
    const response = presentation.present(page())
    await vi.waitFor(() => expect(given).toBeDefined())
    const shown = comeBack(redirect, 'code=c3&state=s1')
    expect(((await response) as URLSearchParams).get('code')).toBe('c3')
    expect(given?.aborted).toBe(true)
    await presentation.end({ ok: true })
    expect((await shown).status).toBe(200)
  })

  it('nobody to ask any more: the listener is still waited for', async () => {
    const { presentation, redirect } = await login(async () => undefined)
    const response = presentation.present(page())
    expect(await stateOf(response)).toBe('pending')
    void comeBack(redirect, 'code=c4&state=s1').catch(() => undefined)
    expect(((await response) as URLSearchParams).get('code')).toBe('c4')
  })

  it('a function that never gives the right one is not asked for ever', async () => {
    const ask = vi.fn(async () => 'c1')
    const { presentation } = await login(ask)
    expect(await refusal(presentation.present(page()))).toMatchObject({
      code: 'authorization_response_invalid',
      received: '10 others',
    })
    expect(ask).toHaveBeenCalledTimes(10)
  })

  it('a function that fails is the error of the login, and named', async () => {
    const cause = new Error('no window')
    const { presentation } = await login(() => Promise.reject(cause))
    const error = await refusal(presentation.present(page()))
    expect(error).toMatchObject({ code: 'browser_not_opened', hint: 'Correct the function in paste({ ask }).', cause })
  })

  it('ends with the login', async () => {
    const enough = new AbortController()
    let given: AbortSignal | undefined
    const { presentation, redirect } = await login(({ signal }) => {
      given = signal
      return new Promise(() => undefined)
    }, enough.signal)
    const response = refusal(presentation.present(page()))
    await pause(10)
    enough.abort()
    expect(await response).toMatchObject({ code: 'login_cancelled' })
    expect(given?.aborted).toBe(true)
    expect(await isFree(Number(redirect.port))).toBe(true)
  })

  it('serves servers with redirects; asks in the terminal, and says where there is none', async () => {
    expect(await begin(paste({ ask: async () => '' })).way(DEVICE_ONLY)).toBeUndefined()
    using _screen = terminal({ types: false })
    expect(await refusal(begin(paste()).way(BOTH))).toMatchObject({
      code: 'user_agent_unsuitable',
      expected: 'a terminal to paste into',
      hint: expect.stringContaining('paste({ ask })'),
    })
    const shown = begin(paste({ ask: async () => '' })).present(devicePage())
    expect(await refusal(shown)).toMatchObject({ code: 'user_agent_unsuitable', expected: 'a redirect' })
  })
})

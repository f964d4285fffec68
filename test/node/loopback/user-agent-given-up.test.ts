import { CountersignError } from '@countersign/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { runFixture } from '../child.js'
import { freePort, occupy } from '../support.js'
import { begin, comeBack, endAll, isFree, page, redirectOf, SERVER } from './login.js'

afterEach(endAll)

describe('giving a login up', () => {
  it('rejects, closes the listener at once, and frees the port', async () => {
    const giveUp = new AbortController()
    const presentation = begin({}, giveUp.signal)
    const redirect = await redirectOf(presentation)
    const response = presentation.present(page())
    giveUp.abort()
    await expect(response).rejects.toMatchObject({ code: 'login_cancelled', step: 'present' })
    await expect(comeBack(redirect)).rejects.toThrow()
    expect(await isFree(Number(redirect.port))).toBe(true)
    await presentation.end({ ok: false, error: new CountersignError('login_cancelled', { step: 'present' }) })
  })

  it('says what the connector says', async () => {
    const giveUp = new AbortController()
    const presentation = begin({}, giveUp.signal)
    await redirectOf(presentation)
    const response = presentation.present(page())
    const reason = new CountersignError('login_timeout', { step: 'present' })
    giveUp.abort(reason)
    await expect(response).rejects.toBe(reason)
  })

  it('still shows the outcome to a browser that is waiting', async () => {
    const giveUp = new AbortController()
    const presentation = begin({}, giveUp.signal)
    const redirect = await redirectOf(presentation)
    const response = presentation.present(page())
    const shown = comeBack(redirect)
    await response
    const error = new CountersignError('login_timeout', { step: 'present' })
    giveUp.abort(error)
    await presentation.end({ ok: false, error })
    expect((await shown).body).toContain('loginTimeoutMs is how long a login waits')
  })

  it('opens nothing any more, wherever it was', async () => {
    const open = vi.fn()
    const giveUp = new AbortController()
    const presentation = begin({ open }, giveUp.signal)
    const redirect = await redirectOf(presentation)
    giveUp.abort()
    await expect(presentation.present(page())).rejects.toMatchObject({ code: 'login_cancelled' })
    await expect(presentation.way(SERVER)).rejects.toMatchObject({ code: 'login_cancelled' })
    expect(open).not.toHaveBeenCalled()
    expect(await isFree(Number(redirect.port))).toBe(true)
  })

  it('while the port is being bound leaves nothing behind', async () => {
    const redirectPort = await freePort()
    const giveUp = new AbortController()
    const choosing = begin({}, giveUp.signal).way({ ...SERVER, redirectPort })
    giveUp.abort()
    await expect(choosing).rejects.toMatchObject({ code: 'login_cancelled' })
    expect(await isFree(redirectPort)).toBe(true)
  })

  it('is also what end does, at any point', async () => {
    const fail = { ok: false, error: new CountersignError('login_cancelled', { step: 'present' }) } as const
    await begin().end(fail)
    const redirectPort = await freePort()
    const early = begin()
    const choosing = expect(early.way({ ...SERVER, redirectPort })).rejects.toMatchObject({ code: 'login_cancelled' })
    await early.end(fail)
    await choosing
    const late = begin()
    await redirectOf(late, { ...SERVER, redirectPort })
    const response = expect(late.present(page())).rejects.toMatchObject({ code: 'login_cancelled' })
    await late.end(fail)
    await late.end(fail)
    await response
    expect(await isFree(redirectPort)).toBe(true)
    const taken = await occupy('127.0.0.1', redirectPort)
    const failing = begin()
    await expect(failing.way({ ...SERVER, redirectPort })).rejects.toMatchObject({ code: 'user_agent_unsuitable' })
    await failing.end(fail)
    await taken.release()
  })

  it.each([['end'], ['no end']])('lets the process exit: %s', async (how) => {
    const { printed, code, lingeredMs } = await runFixture('login-given-up', [how])
    expect([printed, code]).toEqual(['login_cancelled', 0])
    expect(lingeredMs).toBeLessThan(1_000)
  })
})

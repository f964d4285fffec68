import type { Frame, Page } from 'playwright'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ScriptableServer, startScriptableServer } from '../../servers/index.js'
import { approve, outcome, overPages, pages, start } from '../support/pages.js'

overPages('an application in an iframe', () => {
  const world = pages()
  let embedder: ScriptableServer
  beforeAll(async () => {
    embedder = await startScriptableServer(({ query }) => ({
      headers: { 'content-type': 'text/html' },
      body: `<!doctype html><iframe src="${query.get('app')}"></iframe>`,
    }))
  })
  afterAll(() => embedder.close())

  /** @param host - whose page embeds the application: by another port it is of the same site, by another name it is not */
  const framed = async (host: '127.0.0.1' | 'localhost'): Promise<Frame & Page> => {
    const outer = await world.context.newPage()
    const at = new URL(embedder.origin)
    at.hostname = host
    at.searchParams.set('app', world.site.origin)
    await outer.goto(at.href)
    const frame = outer.frames()[1] as Frame & Page
    await start(frame, { url: world.mcp.url })
    return frame
  }
  const click = async (frame: Frame): Promise<Page> => {
    const [popup] = await Promise.all([world.context.waitForEvent('page'), frame.click('button')])
    return popup
  }

  it('of its own site signs in by a popup, and its login is that of its tabs', async () => {
    const frame = await framed('127.0.0.1')
    await approve(await click(frame))
    expect(await outcome(frame)).toMatchObject({ value: { status: 'signed_in' } })
    const tab = await world.tab()
    expect(await tab.evaluate(() => window.app.call())).toEqual({ value: 200 })
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('of another site has a storage of its own, so its popup is a stranger to it: said in both, and no code is sent', async () => {
    const frame = await framed('localhost')
    const popup = await click(frame)
    await approve(popup)
    await popup.waitForURL(/\/callback$/)
    // The popup has nobody to hand the response to, and no login that it could complete.
    await expect.poll(() => outcome(popup), { timeout: 10_000 }).toEqual({ value: true })
    expect(await frame.evaluate(() => window.app.status)).toBe('signing_in')
    await popup.close()
    expect(await outcome(frame)).toMatchObject({ code: 'login_cancelled' })
    expect(world.grants).toEqual([])
    const tab = await world.tab()
    expect(await tab.evaluate(() => window.app.call())).toMatchObject({ code: 'interaction_required' })
  })
})

import type { Page } from 'playwright'
import { expect, it } from 'vitest'
import type { Asked } from '../site/worker.js'
import { approve, outcome, overPages, pages } from '../support/pages.js'

type Kind = 'dedicated' | 'service'

/** Starts a worker of the page, under its policy. */
const begin = (tab: Page, kind: Kind): Promise<void> =>
  tab.evaluate(async (which) => {
    const { trustedTypes } = window as unknown as {
      trustedTypes: { createPolicy(name: string, rules: object): { createScriptURL(url: string): string } }
    }
    const url = trustedTypes
      .createPolicy('worker', { createScriptURL: (given: string) => given })
      .createScriptURL('/worker.js')
    if (which === 'dedicated') Object.assign(window, { worker: new Worker(url, { type: 'module' }) })
    else {
      await navigator.serviceWorker.register(url, { type: 'module' })
      const { active } = await navigator.serviceWorker.ready
      Object.assign(window, { worker: active })
    }
  }, kind)

const ask = (tab: Page, asked: Asked): Promise<unknown> =>
  tab.evaluate(
    (given) =>
      new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = ({ data }) => resolve(data)
        ;(window as unknown as { worker: Worker }).worker.postMessage(given, [port2])
      }),
    asked,
  )

overPages.each<Kind>(['dedicated', 'service'])('a %s worker', (kind) => {
  const world = pages()

  it('has the login that a page made, and asks for one before', async () => {
    const tab = await world.tab()
    await begin(tab, kind)
    const call = { url: world.mcp.url, ask: 'call' } as const
    expect(await ask(tab, call)).toBe('interaction_required')
    await approve(await world.click(tab))
    expect(await outcome(tab)).toMatchObject({ value: { status: 'signed_in' } })
    expect(await ask(tab, call)).toBe(400)
    expect(world.mcp.requests.at(-1)).toMatchObject({ rpc: 'ping', authorized: true })
    expect(world.grants).toEqual(['authorization_code'])

    await tab.evaluate(() => window.app.connection?.signOut())
    await expect.poll(() => ask(tab, call)).toBe('interaction_required')
  })

  it('refreshes for the page, and the page for it, each time once', async () => {
    const tab = await world.signedIn()
    await begin(tab, kind)
    expect(await ask(tab, { url: world.mcp.url, ask: 'refresh' })).toBe('refreshed')
    expect(await tab.evaluate(() => window.app.call())).toEqual({ value: 200 })
    await tab.evaluate(() => window.app.token({ refresh: true }))
    expect(await ask(tab, { url: world.mcp.url, ask: 'call' })).toBe(400)
    expect(world.mcp.requests.every(({ status }) => status !== 401)).toBe(true)
    expect(world.grants).toEqual(['authorization_code', 'refresh_token', 'refresh_token'])
  })
})

overPages('a dedicated worker that is ended in the middle of a refresh', () => {
  const world = pages()

  it('lets go of its lease, and the page takes over at once', async () => {
    const tab = await world.signedIn()
    await begin(tab, 'dedicated')
    let held = 0
    world.as.tokenEndpoint.intercept = () => (held++ === 0 ? { hang: true } : undefined)
    void ask(tab, { url: world.mcp.url, ask: 'refresh' }).catch(() => undefined)
    await expect.poll(() => held).toBe(1)
    await tab.evaluate(() => (window as unknown as { worker: Worker }).worker.terminate())
    const began = performance.now()
    expect(await tab.evaluate(() => window.app.token({ refresh: true }))).toMatchObject({ value: expect.any(String) })
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(await tab.evaluate(() => window.app.call())).toEqual({ value: 200 })
  })
})

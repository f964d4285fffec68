import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type BrowserContext, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  type AuthorizationServer,
  type McpServerUnderTest,
  startAuthorizationServer,
  startMcpServer,
} from '../../servers/index.js'
import { hasChromium, launchOptions } from '../support/chromium.js'
import { approve, overPages } from '../support/pages.js'

const example = (file: string): string => fileURLToPath(new URL(`../../../examples/extension/${file}`, import.meta.url))

overPages('an extension', () => {
  let folder: string
  let context: BrowserContext
  let as: AuthorizationServer
  let mcp: McpServerUnderTest
  let page: Page
  beforeAll(async () => {
    if (!hasChromium) return
    folder = await mkdtemp(join(tmpdir(), 'countersign-extension-'))
    await build({
      entryPoints: [example('background.ts')],
      outdir: folder,
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      logLevel: 'error',
    })
    await cp(example('manifest.json'), join(folder, 'manifest.json'))
    await writeFile(join(folder, 'popup.html'), '<!doctype html><title>ready</title>')
    // Neither allows pages anything: an extension needs leave from the person alone.
    as = await startAuthorizationServer()
    mcp = await startMcpServer({ authorizationServer: as })
    context = await chromium.launchPersistentContext(join(folder, 'profile'), {
      ...launchOptions,
      args: [
        ...launchOptions.args,
        `--disable-extensions-except=${folder}`,
        `--load-extension=${folder}`,
        '--headless=new',
      ],
      ignoreDefaultArgs: ['--disable-extensions'],
    })
    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'))
    page = await context.newPage()
    await page.goto(`chrome-extension://${new URL(worker.url()).host}/popup.html`)
  })
  afterAll(async () => {
    if (!hasChromium) return
    await context.close()
    await Promise.all([mcp.close(), as.close(), rm(folder, { recursive: true, force: true })])
    expect([...as.errors, ...mcp.errors]).toEqual([])
  })

  const ask = (what: string): Promise<unknown> =>
    page.evaluate(
      (asked) =>
        (
          globalThis as unknown as { chrome: { runtime: { sendMessage(message: unknown): Promise<unknown> } } }
        ).chrome.runtime.sendMessage(asked),
      { ask: what, url: mcp.url },
    )

  it('signs in by the window of the browser, from its service worker, and out again; no server has to allow it anything', async () => {
    expect(await ask('ping')).toMatchObject({ error: { code: 'interaction_required' } })
    const opened = context.waitForEvent('page')
    const said = ask('authorize')
    await approve(await opened)
    expect(await said).toEqual({ said: 'signed_in' })
    expect(await ask('ping')).toEqual({ said: 400 })
    expect(mcp.requests.at(-1)).toMatchObject({ rpc: 'ping', authorized: true })
    await ask('signOut')
    expect(await ask('ping')).toMatchObject({ error: { code: 'interaction_required' } })
  })

  it('whose window is closed: login_cancelled', async () => {
    const opened = context.waitForEvent('page')
    const said = ask('authorize')
    const window = await opened
    await approve(window, 'consent')
    await window.close()
    expect(await said).toMatchObject({ error: { code: 'login_cancelled' } })
  })
})

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright'
import { hasChromium, launchOptions } from './chromium.js'
import type { Engine, Tab, Windows } from './engine.js'

const tabOf = (page: Page): Tab => ({
  evaluate: (work: (given: never) => unknown, given?: unknown) => page.evaluate(work as () => never, given as never),
  goto: (url) => page.goto(url),
  reload: () => page.reload(),
  url: () => page.url(),
  click: (selector) => page.click(selector),
  fill: (selector, text) => page.fill(selector, text),
  has: async (selector) => (await page.locator(selector).count()) > 0,
  comes: (selector) =>
    page.waitForSelector(selector, { timeout: 5_000 }).then(
      () => true,
      () => false,
    ),
  moves: () =>
    Promise.race([
      page.waitForEvent('framenavigated', { timeout: 5_000 }).catch(() => undefined),
      page.waitForEvent('close', { timeout: 5_000 }).catch(() => undefined),
    ]),
  bringToFront: () => page.bringToFront(),
  isClosed: () => page.isClosed(),
  close: () => page.close(),
})

const windowsOf = (context: BrowserContext): Windows => ({
  tab: async () => tabOf(await context.newPage()),
  popup: async (open) => tabOf((await Promise.all([context.waitForEvent('page'), open()]))[0]),
  close: () => context.close(),
})

export const chromiumEngine: Engine = {
  name: 'Chromium',
  installed: hasChromium,
  launch: async () => {
    const browser = await chromium.launch(launchOptions)
    return { windows: async () => windowsOf(await browser.newContext()), close: () => browser.close() }
  },
  inProfile: async (profile, forgetful) => {
    if (forgetful) {
      await mkdir(join(profile, 'Default'), { recursive: true })
      const settings = { profile: { default_content_setting_values: { cookies: 2 } } }
      await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(settings))
    }
    return windowsOf(await chromium.launchPersistentContext(profile, launchOptions))
  },
}

import type { Browser, BrowserContext, Page } from 'puppeteer-core'
import type { Engine, Tab, Windows } from './engine.js'
import { hasFirefox, launchFirefox } from './firefox-launch.js'

const tabOf = (page: Page): Tab => ({
  evaluate: (work: (given: never) => unknown, given?: unknown) => page.evaluate(work as () => never, given as never),
  goto: (url) => page.goto(url),
  reload: () => page.reload(),
  url: () => page.url(),
  click: (selector) => page.click(selector),
  fill: (selector, text) => page.type(selector, text),
  has: async (selector) => (await page.$(selector)) !== null,
  comes: (selector) =>
    page.waitForSelector(selector, { timeout: 5_000 }).then(
      () => true,
      () => false,
    ),
  moves: () =>
    Promise.race([
      page.waitForNavigation({ timeout: 5_000 }).catch(() => undefined),
      new Promise((resolve) => page.once('close', resolve)),
    ]),
  bringToFront: () => page.bringToFront(),
  isClosed: () => page.isClosed(),
  close: () => page.close(),
})

const windowsOf = (context: BrowserContext, close: () => Promise<unknown>): Windows => ({
  tab: async () => tabOf(await context.newPage()),
  popup: async (open) => {
    const opened = new Promise<Page | null>((resolve) =>
      context.once('targetcreated', (target) => resolve(target.page())),
    )
    await open()
    const page = await opened
    if (page === null) throw new Error('what was opened is no page')
    return tabOf(page)
  },
  close,
})

const alone = (browser: Browser): Windows => windowsOf(browser.defaultBrowserContext(), () => browser.close())

export const firefoxEngine: Engine = {
  name: 'Firefox',
  installed: hasFirefox,
  launch: async () => {
    const browser = await launchFirefox()
    return {
      windows: async () => {
        const context = await browser.createBrowserContext()
        return windowsOf(context, () => context.close())
      },
      close: () => browser.close(),
    }
  },
  inProfile: async (profile, forgetful) =>
    alone(
      await launchFirefox({
        userDataDir: profile,
        ...(forgetful && { extraPrefsFirefox: { 'network.cookie.cookieBehavior': 2 } }),
      }),
    ),
}

/** Every window of it is a private one. */
export const privateFirefox = async (): Promise<Windows> =>
  alone(await launchFirefox({ extraPrefsFirefox: { 'browser.privatebrowsing.autostart': true } }))

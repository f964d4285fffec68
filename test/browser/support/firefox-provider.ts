import { defineBrowserProvider } from '@vitest/browser'
import type { Browser } from 'puppeteer-core'
import type { BrowserProviderOption } from 'vitest/node'
import { launchFirefox } from './firefox-launch.js'

/** Lets vitest run its tests in Debian's Firefox: no more than opening its page, and closing it. */
export const firefox: BrowserProviderOption = defineBrowserProvider({
  name: 'firefox',
  supportedBrowser: ['firefox'],
  options: {},
  providerFactory: () => {
    let browser: Promise<Browser> | undefined
    return {
      name: 'firefox',
      supportsParallelism: false,
      getCommandsContext: () => ({}),
      async openPage(_session, url) {
        browser ??= launchFirefox()
        const page = await (await browser).newPage()
        await page.goto(url)
      },
      async close() {
        await (await browser)?.close()
      },
    }
  },
})

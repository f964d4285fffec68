import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import type { BrowserProviderOption } from 'vitest/node'
import { tags } from '../requirements/tags.js'
import { hasChromium, launchOptions } from './support/chromium.js'
import { hasFirefox } from './support/firefox-launch.js'
import { firefox } from './support/firefox-provider.js'
import { flowSuites, serversForPages } from './support/portable.js'

// What runs in real browsers: `pnpm test:browser`. Where CI reads the totals; nobody else needs the file.
const report = process.env.TEST_REPORT
const root = fileURLToPath(new URL('../..', import.meta.url))

// With the suites of the flow, as Node runs them: nothing in core means another thing in a page.
const inPage = ['test/browser/in-page/**/*.test.ts', ...flowSuites]

/** Tests that run inside a page of a browser. Without it each is collected, and skipped by its name. */
const inside = (
  name: string,
  include: string[],
  browser: string,
  provider: BrowserProviderOption | undefined,
): TestProjectInlineConfiguration => ({
  plugins: [serversForPages],
  test: {
    name,
    tags: [...tags],
    include,
    isolate: false,
    testTimeout: 20_000,
    ...(provider
      ? {
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider,
            instances: [{ browser: browser as 'chromium' }],
            api: { host: '127.0.0.1' },
          },
        }
      : { testNamePattern: /(?!)/ }),
  },
})

export default defineConfig({
  root,
  test: {
    ...(report && { reporters: ['default', ['json', { outputFile: report }]] }),
    projects: [
      inside('in a page', inPage, 'chromium', hasChromium ? playwright({ launchOptions }) : undefined),
      inside('in a page of Firefox', inPage, 'firefox', hasFirefox ? firefox : undefined),
      {
        test: {
          name: 'over pages',
          tags: [...tags],
          include: ['test/browser/pages/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})

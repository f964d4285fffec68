import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { tags } from '../requirements/tags.js'
import { hasChromium, launchOptions } from './support/chromium.js'

// What runs in real browsers: `pnpm test:browser`. Where CI reads the totals; nobody else needs the file.
const report = process.env.TEST_REPORT
const root = fileURLToPath(new URL('../..', import.meta.url))

export default defineConfig({
  root,
  test: {
    ...(report && { reporters: ['default', ['json', { outputFile: report }]] }),
    projects: [
      {
        test: {
          name: 'in a page',
          tags: [...tags],
          // With the machines of core's flow, as Node runs them: nothing in core means another thing in a page.
          include: ['test/browser/in-page/**/*.test.ts', 'test/core/flow/*.test.ts'],
          testTimeout: 20_000,
          // Without a browser each is collected, and skipped by its name.
          ...(hasChromium
            ? {
                browser: {
                  enabled: true,
                  headless: true,
                  screenshotFailures: false,
                  provider: playwright({ launchOptions }),
                  instances: [{ browser: 'chromium' }],
                  api: { host: '127.0.0.1' },
                },
              }
            : { testNamePattern: /(?!)/ }),
        },
      },
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

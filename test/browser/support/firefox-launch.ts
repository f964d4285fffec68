import { existsSync } from 'node:fs'
import { type Browser, type LaunchOptions, launch } from 'puppeteer-core'

/** Debian's. */
const executablePath = '/usr/bin/firefox-esr'

/** Where it is not installed, the tests that need it are skipped, by name. */
export const hasFirefox: boolean = existsSync(executablePath)

/** Playwright drives a Firefox of its own alone; this is the one that people have, over WebDriver BiDi. */
export const launchFirefox = (options: LaunchOptions = {}): Promise<Browser> =>
  launch({ browser: 'firefox', executablePath, headless: true, ...options })

import { existsSync } from 'node:fs'

/** Debian's. */
const executablePath = '/usr/bin/chromium'

/** Where it is not installed, the tests that need it are skipped, by name. */
export const hasChromium: boolean = existsSync(executablePath)

/** Quiet and offline: nothing but what a test asks for. */
export const launchOptions: { executablePath: string; args: string[] } = {
  executablePath,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-domain-reliability',
    '--disable-features=OptimizationHints,MediaRouter,Translate',
  ],
}

import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'

const CHROMIUM = '/usr/bin/chromium'

/** What a browser says of a refused request, which is part of the story, and of a validator that asks whether it may use eval. */
const EXPECTED = /Failed to load resource|CORS policy|Content Security Policy|Trusted/

/** Says what it saw, and whether it was what it should have been. */
type Expectation = (what: string, seen: unknown, expected: unknown) => void

/** Drives the example as a person would, each of its pages in a browser that knows nothing yet. @returns whether all was well */
export async function check(origin: string): Promise<boolean> {
  let failed = 0
  const expect: Expectation = (what, seen, expected) => {
    const well = seen === expected
    if (!well) failed += 1
    console.log(`${well ? '  ok' : 'FAIL'}  ${what}: ${String(seen)}${well ? '' : `, expected ${String(expected)}`}`)
  }
  if (!existsSync(CHROMIUM)) {
    console.error(`${CHROMIUM} is not there: apt-get install chromium`)
    return false
  }
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--no-first-run'],
  })
  try {
    for (const path of ['/', '/react']) {
      console.log(`\n${origin}${path}\n`)
      await story(browser, origin + path, expect)
    }
  } finally {
    await browser.close()
  }
  console.log(failed === 0 ? '\nDone.' : `\n${failed} failed.`)
  return failed === 0
}

async function story(browser: Browser, url: string, expect: Expectation): Promise<void> {
  const context = await browser.newContext()
  context.setDefaultTimeout(15_000)
  const thrown: string[] = []
  context.on('weberror', (error) => thrown.push(error.error().message))
  context.on('console', (message) => {
    if (message.type() === 'error' && !EXPECTED.test(message.text())) thrown.push(message.text())
  })
  if (url.endsWith('/react')) {
    const rendered = await (await fetch(url)).text()
    expect('what the server rendered', rendered.match(/role="status">([^<]+)</)?.[1], 'Looking for a login')
  }
  const page = await context.newPage()
  await page.goto(url)
  const status = (card: number, label: string): Promise<string> => statusOf(page, card, label)
  expect('Notes', await status(0, 'Signed out'), 'Signed out')
  await signIn(context, page, 0)
  expect('Notes, after the login', await status(0, 'Signed in'), 'Signed in')
  await click(page, 0, 'Tools')
  expect('whoami', await call(page, 0, 'whoami'), 'alice (notes:read notes:write)')
  await page.locator('article').nth(0).getByPlaceholder('text').fill('Buy milk')
  expect('add_note', await call(page, 0, 'add_note'), 'Added: Buy milk')

  await page.reload()
  expect('Notes, after the page was loaded again', await status(0, 'Signed in'), 'Signed in')
  await signIn(context, page, 1)
  await click(page, 1, 'Tools')
  expect('whoami at the Journal, by a login of its own', await call(page, 1, 'whoami'), 'alice (notes:read)')

  await signIn(context, page, 2)
  await status(2, 'Signed in')
  await click(page, 2, 'Tools')
  const said = await output(page, 2, /cross origin blocked/)
  expect(
    'the Archive names what is missing',
    /Access-Control-Allow-[\w-]+/.exec(said)?.[0],
    'Access-Control-Allow-Origin',
  )

  await click(page, 0, 'Sign out')
  expect('Notes, after the sign-out', await status(0, 'Signed out'), 'Signed out')
  expect('the Journal, meanwhile', await status(1, 'Signed in'), 'Signed in')
  expect('errors in the page', thrown.join('; ') || 'none', 'none')
  await context.close()
}

const click = (page: Page, card: number, name: string): Promise<void> =>
  page.locator('article').nth(card).getByRole('button', { name, exact: true }).click()

/** What a card's status is, once it is this or nothing has changed for long. */
async function statusOf(page: Page, card: number, label: string): Promise<string> {
  const at = page.locator('article').nth(card).locator('.status')
  await at
    .filter({ hasText: new RegExp(`^${label}$`) })
    .waitFor()
    .catch(() => undefined)
  return (await at.textContent()) ?? ''
}

async function output(page: Page, card: number, text: RegExp): Promise<string> {
  const at = page.locator('article').nth(card).locator('output')
  await at
    .filter({ hasText: text })
    .waitFor()
    .catch(() => undefined)
  return (await at.textContent()) ?? ''
}

async function call(page: Page, card: number, tool: string): Promise<string> {
  const row = page.locator('article').nth(card).locator('li').filter({ hasText: tool })
  await row.getByRole('button', { name: 'Call' }).click()
  return output(page, card, /./)
}

/** Alice at the popup: she logs in where she is asked to, and approves. */
async function signIn(context: BrowserContext, page: Page, card: number): Promise<void> {
  const [popup] = await Promise.all([context.waitForEvent('page'), click(page, card, 'Sign in')])
  const closed = popup.waitForEvent('close')
  for (let step = 0; step < 3 && !popup.isClosed(); step++) {
    const submit = popup.locator('form[action*="/interaction/"] [type=submit]')
    await Promise.race([submit.waitFor().catch(() => undefined), closed])
    if (popup.isClosed()) return
    if (await popup.locator('[name=password]').count()) {
      await popup.fill('[name=login]', 'alice')
      await popup.fill('[name=password]', 'any')
    }
    const path = popup.url()
    await submit.click()
    await Promise.race([popup.waitForURL((next) => next.href !== path).catch(() => undefined), closed])
  }
  await closed
}

import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openBrowser } from '../../packages/node/src/open-browser.js'
import { REFUSED } from './browsable-urls.js'
import { runFixture } from './child.js'

// The real package and the real xdg-open script, with a browser that is a script of ours.
describe.skipIf(process.platform !== 'linux')('opening a browser', () => {
  let folder: string
  let seen: string

  /** A browser: notes how many arguments it got and which, then does `then`. */
  async function browser(then: string): Promise<string> {
    const file = join(folder, `browser-${Math.random().toString(36).slice(2)}`)
    await writeFile(file, `#!/bin/sh\nprintf '%s\\n' "$#" "$@" >> '${seen}'\n${then}\n`)
    await chmod(file, 0o755)
    return file
  }
  const calls = (): Promise<string> => readFile(seen, 'utf8').catch(() => '')

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'countersign-open-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  beforeEach(() => {
    seen = join(folder, `seen-${Math.random().toString(36).slice(2)}`)
    for (const name of ['DISPLAY', 'WAYLAND_DISPLAY', 'BROWSER']) vi.stubEnv(name, undefined)
    return () => vi.unstubAllEnvs()
  })

  it('passes the URL on as one argument, to the letter', {
    tags: ['mcp-practices/no-shell', 'mcp-practices/platform-opener', 'rfc8252/external-browser'],
  }, async () => {
    vi.stubEnv('BROWSER', await browser('exit 0'))
    const url = "https://as.example/a;b/authorize?x=$(id)&y=`id`&z=%26%3Bid&'q=*|id"
    await openBrowser(url)
    expect(await calls()).toBe(`1\n${new URL(url).href}\n`)
  })

  it('fails at once where there is nothing to show a page', async () => {
    await expect(openBrowser('https://as.example/')).rejects.toMatchObject({
      code: 'browser_not_opened',
      step: 'present',
      url: 'https://as.example/',
      received: expect.stringContaining('DISPLAY'),
      hint: expect.stringMatching(/loopback\(\{ open \}\).*loopback\(\{ onUrl \}\)/),
    })
  })

  it('fails soon when the opener does', async () => {
    vi.stubEnv('BROWSER', await browser('exit 1'))
    const began = performance.now()
    await expect(openBrowser('https://as.example/')).rejects.toMatchObject({
      code: 'browser_not_opened',
      received: expect.stringMatching(/exit code \d/),
    })
    expect(performance.now() - began).toBeLessThan(900)
  })

  it('fails when a display is there but no browser', async () => {
    vi.stubEnv('DISPLAY', ':97')
    vi.stubEnv('PATH', folder)
    await expect(openBrowser('https://as.example/')).rejects.toMatchObject({ code: 'browser_not_opened' })
  })

  it('waits a second for a browser that stays in the foreground, not longer', async () => {
    vi.stubEnv('BROWSER', await browser('sleep 3'))
    const began = performance.now()
    await openBrowser('https://as.example/')
    expect(performance.now() - began).toBeLessThan(1_900)
  })

  it('does not keep the process alive as long as the browser', async () => {
    const env = { ...process.env, BROWSER: await browser('sleep 6') }
    const { printed, code, lingeredMs } = await runFixture('open-browser', ['https://as.example/'], env)
    expect([printed, code]).toEqual(['opened', 0])
    expect(lingeredMs).toBeLessThan(2_000)
  })

  it('is a plain failure in a process without display, and the process ends well', async () => {
    const { DISPLAY: _, WAYLAND_DISPLAY: __, BROWSER: ___, ...env } = process.env
    const { printed, code } = await runFixture('open-browser', ['https://as.example/'], env)
    expect([printed, code]).toEqual(['browser_not_opened', 0])
  })

  it.each(REFUSED.map((url) => [url]))(
    'starts nothing for %j',
    { tags: ['mcp-practices/authorization-url-http', 'mcp-practices/authorization-url-dangerous'] },
    async (url) => {
      vi.stubEnv('BROWSER', await browser('exit 0'))
      await expect(openBrowser(url)).rejects.toMatchObject({ code: 'url_not_allowed' })
      expect(await calls()).toBe('')
    },
  )
})

describe('an opener that cannot be started', () => {
  it('is a typed failure, not an error event that ends the process', async () => {
    vi.resetModules()
    vi.doMock('../../packages/node/node_modules/open/index.js', () => ({
      default: () => Promise.reject(Object.assign(new Error('spawn xdg-open ENOENT'), { code: 'ENOENT' })),
    }))
    vi.stubEnv('BROWSER', 'x')
    const { openBrowser: fresh } = await import('../../packages/node/src/open-browser.js')
    await expect(fresh('https://as.example/')).rejects.toMatchObject({
      code: 'browser_not_opened',
      cause: expect.objectContaining({ code: 'ENOENT' }),
    })
    vi.doUnmock('../../packages/node/node_modules/open/index.js')
    vi.unstubAllEnvs()
  })

  it('also when it fails after it was started', async () => {
    const { EventEmitter } = await import('node:events')
    const opener = Object.assign(new EventEmitter(), { exitCode: null, signalCode: null, unref: () => undefined })
    vi.resetModules()
    vi.doMock('../../packages/node/node_modules/open/index.js', () => ({ default: async () => opener }))
    vi.stubEnv('BROWSER', 'x')
    const { openBrowser: fresh } = await import('../../packages/node/src/open-browser.js')
    const opening = fresh('https://as.example/')
    setTimeout(() => opener.emit('error', Object.assign(new Error('spawn'), { code: 'ENOENT' })), 20)
    await expect(opening).rejects.toMatchObject({
      code: 'browser_not_opened',
      received: expect.stringMatching('ENOENT'),
    })
    expect(() => opener.emit('error', new Error('later'))).not.toThrow()
    vi.doUnmock('../../packages/node/node_modules/open/index.js')
    vi.unstubAllEnvs()
  })
})

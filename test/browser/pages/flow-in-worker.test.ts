import type { RequestListener } from 'node:http'
import { type Browser, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hasChromium, launchOptions } from '../support/chromium.js'
import { overPages } from '../support/pages.js'
import { flowSuites } from '../support/portable.js'
import { type Site, startSite } from '../support/site.js'
import { flowWorker } from '../worker/build.js'
import type { Ended } from '../worker/run.js'

// The suites of the flow, as Node and pages run them: nothing in core means another thing in a worker, where there is no window.
overPages('in a dedicated worker', () => {
  let browser: Browser
  let site: Site
  let page: Page
  beforeAll(async () => {
    if (!hasChromium) return
    browser = await chromium.launch(launchOptions)
    site = await startSite()
    const script = await flowWorker(flowSuites)
    const send =
      (type: string, text: string): RequestListener =>
      (_request, response) => {
        response.setHeader('content-type', type)
        response.end(text)
      }
    site.routes['/flow.js'] = send('text/javascript', script)
    site.routes['/worker.html'] = send('text/html', '<title>a worker</title>')
    page = await browser.newPage()
    await page.goto(`${site.origin}/worker.html`)
    await page.evaluate(() => Object.assign(window, { worker: new Worker('/flow.js', { type: 'module' }) }))
  })
  afterAll(async () => {
    await browser?.close()
    await site?.[Symbol.asyncDispose]()
  })

  it.each(flowSuites)('%s', async (file) => {
    const ended = await page.evaluate(
      (asked) =>
        new Promise<Ended>((resolve, reject) => {
          const { worker } = window as unknown as { worker: Worker }
          const { port1, port2 } = new MessageChannel()
          port1.onmessage = ({ data }) => resolve(data)
          worker.onerror = ({ message }) => reject(new Error(message))
          worker.postMessage(asked, [port2])
        }),
      file,
    )
    expect(ended.failed).toEqual([])
    expect(ended.passed.length).toBeGreaterThan(0)
  })
})

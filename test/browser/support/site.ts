import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** An application that is served like one: two pages and a script, under a strict policy. */
export interface Site extends AsyncDisposable {
  readonly origin: string
  /** Sent with every page, settable at any time. */
  readonly headers: Record<string, string>
  /** Every request, with its query. */
  readonly requests: readonly { readonly path: string; readonly query: string; readonly referrer: string | undefined }[]
}

let bundled: Promise<string> | undefined

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../site/main.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>loading</title>
<button type="button">Sign in</button>
<script type="module" src="/main.js"></script></html>`

/** Inline scripts and evaluated text are refused, connections are not: the servers are elsewhere. */
const policy = "default-src 'none'; script-src 'self'; connect-src *; require-trusted-types-for 'script'"

export async function startSite(): Promise<Site> {
  bundled ??= bundle()
  const script = await bundled
  const headers: Record<string, string> = {}
  const requests: { path: string; query: string; referrer: string | undefined }[] = []
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://127.0.0.1')
    requests.push({ path: pathname, query: search, referrer: request.headers.referer })
    const isScript = pathname === '/main.js'
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.setHeader('content-security-policy', policy)
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8')
    response.end(isScript ? script : page)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    headers,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

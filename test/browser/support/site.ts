import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** An application that is served like one: pages and scripts, under a strict policy. */
export interface Site extends AsyncDisposable {
  readonly origin: string
  /** Sent with every page, settable at any time. */
  readonly headers: Record<string, string>
  /** What its backend answers itself, by path; settable at any time. */
  readonly routes: Record<string, RequestListener>
  /** Every request, with its query. */
  readonly requests: readonly { readonly path: string; readonly query: string; readonly referrer: string | undefined }[]
}

let bundled: Promise<ReadonlyMap<string, string>> | undefined

/** The scripts, by their path. */
async function bundle(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    entryPoints: ['main', 'worker'].map((name) => fileURLToPath(new URL(`../site/${name}.ts`, import.meta.url))),
    outdir: '/',
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  })
  return new Map(outputFiles.map(({ path, text }) => [path.replace(/^.*[\\/]/, '/'), text]))
}

const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>loading</title>
<button type="button">Sign in</button>
<script type="module" src="/main.js"></script></html>`

/** Inline scripts and evaluated text are refused, connections are not: the servers are elsewhere. */
const policy = "default-src 'none'; script-src 'self'; connect-src *; require-trusted-types-for 'script'"

export async function startSite(): Promise<Site> {
  bundled ??= bundle()
  const scripts = await bundled
  const headers: Record<string, string> = {}
  const routes: Record<string, RequestListener> = {}
  const requests: { path: string; query: string; referrer: string | undefined }[] = []
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://127.0.0.1')
    requests.push({ path: pathname, query: search, referrer: request.headers.referer })
    const route = routes[pathname]
    if (route) return route(request, response)
    const script = scripts.get(pathname)
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.setHeader('content-security-policy', policy)
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html; charset=utf-8')
    response.end(script ?? page)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    headers,
    routes,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

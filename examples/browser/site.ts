import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Listed } from './host.js'
import { callbackPage, icon, plainPage, policy, reactPage } from './pages.js'
import { render } from './render.js'

/** The example as it is served: two pages, the callback, and what they load. */
export interface Site extends AsyncDisposable {
  readonly origin: string
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

async function bundles(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    entryPoints: ['plain.ts', 'hydrate.tsx', 'callback.ts', 'style.css'].map(here),
    outdir: '/',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    // A development build of React tells of a page that does not match what was rendered.
    define: { 'process.env.NODE_ENV': '"development"' },
    write: false,
    logLevel: 'error',
  })
  return new Map(outputFiles.map(({ path, text }) => [path.replace(/^.*[\\/]/, '/'), text]))
}

/** @param port - 0 takes any that is free */
export async function startSite(servers: readonly Listed[], port = 0): Promise<Site> {
  const files = await bundles()
  const server = createServer((request, response) => {
    const [type, text] = answer(request) ?? []
    if (type === undefined) return void response.writeHead(404).end()
    response.setHeader('content-type', `${type}; charset=utf-8`)
    response.setHeader('content-security-policy', policy)
    response.setHeader('referrer-policy', 'no-referrer')
    response.setHeader('x-content-type-options', 'nosniff')
    response.end(text)
  })
  const answer = ({ url = '' }: IncomingMessage): readonly [type: string, text: string] | undefined => {
    const { pathname } = new URL(url, origin)
    if (pathname === '/') return ['text/html', plainPage(servers)]
    if (pathname === '/react') return ['text/html', reactPage(servers, render(origin, servers))]
    if (pathname === '/callback') return ['text/html', callbackPage]
    if (pathname === '/icon.svg') return ['image/svg+xml', icon]
    const file = files.get(pathname)
    return file === undefined ? undefined : [pathname.endsWith('.css') ? 'text/css' : 'text/javascript', file]
  }
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

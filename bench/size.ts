import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Group } from './row.js'
import { stage } from './stage.js'

/** What a host writes to have authorization by code, with each of the contestants. */
const imports = {
  ours: "export { createConnector } from '@countersign/core'",
  page: "export { createConnector, popup } from '@countersign/browser'",
  v1: "export { auth } from '@modelcontextprotocol/sdk/client/auth.js'",
  v2: "export { auth } from '@modelcontextprotocol/client'",
}

/** What comes in by a factory of its own, so that a host which does not import that does not carry it. */
const unpaid: Readonly<Record<string, readonly string[]>> = {
  'the device grant': ['urn:ietf:params:oauth:grant-type:device_code', 'slow_down', 'user_code'],
  'proofs of possession': ['dpop+jwt', 'use_dpop_nonce'],
  'credentials without a person': [
    'client_credentials',
    'client_assertion',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'id-jag',
    'private_key_jwt',
  ],
  'OpenID Connect': ['userinfo_endpoint', 'at_hash'],
  'a runtime': ['node:', 'undici', 'localStorage', 'indexedDB'],
}

/** Thousands of bytes: the peers' figures of 38.0 and 81.5 were counted so. */
const KB = 1000

/** What a host's users download, with every dependency, minified and compressed. */
export const size: Group<'bundle' | 'page' | 'unpaid'> = {
  title: 'size of what a host bundles',
  rows: {
    bundle: { name: 'bundle of a host, minified, gzip', kind: 'size', unit: 'KB', target: 19 },
    page: { name: 'bundle of a host in a page: popup and IndexedDB too', kind: 'size', unit: 'KB', target: 24 },
    unpaid: { name: 'names in that bundle that it should not pay for', kind: 'count', unit: 'names', target: 0 },
  },
  async measure() {
    const ours = await bundle(imports.ours)
    const text = ours.toString('utf8')
    const paid = Object.values(unpaid).flatMap((names) => names.filter((name) => text.includes(name)))
    const all = Object.entries(unpaid).map(([what, names]) => `${what} (${names.join(', ')})`)
    return {
      bundle: {
        ours: compressed(ours),
        peers: { 'sdk-v1': compressed(await bundle(imports.v1)), 'sdk-v2': compressed(await bundle(imports.v2)) },
        note: `${(ours.length / KB).toFixed(1)} before compression; 1 KB is ${KB} bytes`,
      },
      page: { ours: compressed(await bundle(imports.page)), note: 'the peers have neither popup nor store' },
      unpaid: { ours: paid.length, note: paid.length > 0 ? `found: ${paid.join(', ')}` : `none of ${all.join('; ')}` },
    }
  },
}

/** As for a page: that is where the size counts, and where the peers are smallest. */
async function bundle(code: string): Promise<Buffer> {
  const { folder } = await stage()
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    write: false,
    logLevel: 'error',
  })
  return Buffer.concat(outputFiles.map(({ contents }) => contents))
}

const compressed = (code: Buffer): number => Number((gzipSync(code, { level: 9 }).length / KB).toFixed(1))

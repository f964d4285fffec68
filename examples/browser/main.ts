// `npx pnpm demo:browser`: the example against real servers on this machine, each on an origin of its own. `--check` drives it in
// Debian's Chromium, without a window, and ends with exit code 0 only if everything did what it should.

import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { startAuthorizationServer, startMcpServer } from '@countersign/test/servers'
import open from 'open'
import { check } from './check.js'
import { startSite } from './site.js'

const { values } = parseArgs({
  options: { check: { type: 'boolean', default: false }, port: { type: 'string', default: '0' } },
})

await using authorizationServer = await startAuthorizationServer({ cors: true })
await using notes = await startMcpServer({ authorizationServer, cors: true })
await using journal = await startMcpServer({ authorizationServer, cors: true, scopesSupported: ['notes:read'] })
// Pages may read its metadata and nothing else: the example says which header is missing.
await using archive = await startMcpServer({ authorizationServer })
const servers = [
  { name: 'Notes', url: notes.url },
  { name: 'Journal', url: journal.url },
  { name: 'Archive', url: archive.url },
]
await using site = await startSite(servers, Number(values.port))

if (values.check) {
  process.exitCode = (await check(site.origin)) ? 0 : 1
} else {
  console.log(`${site.origin}/        without a framework`)
  console.log(`${site.origin}/react   with React, rendered here and hydrated there`)
  console.log('\nAny name and any password will do. Ctrl+C ends it.')
  // Without a display there is nothing to open, and the lines above say it all.
  if (process.env.DISPLAY || process.env.WAYLAND_DISPLAY || ['darwin', 'win32'].includes(process.platform)) {
    await open(site.origin)
  }
  await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)))
}

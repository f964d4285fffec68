import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Person, person, plainClient } from '@countersign/test/servers'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { Host } from './host.js'

/** A host that speaks stdio only, with mcp-remote between it and the server: a process for every connection. */
export function mcpRemoteHost(): Host {
  const folder = mkdtemp(join(tmpdir(), 'countersign-bench-'))
  const who: Person = person()

  return {
    async connect(url) {
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [program(), url, '--allow-http', '--host', '127.0.0.1'],
        // It opens a browser by itself: BROWSER stands in, and the person reads the address that it prints.
        env: { HOME: await folder, MCP_REMOTE_CONFIG_DIR: await folder, BROWSER: 'true', PATH: process.env.PATH ?? '' },
        stderr: 'pipe',
      })
      let printed = ''
      transport.stderr?.on('data', (chunk: Buffer) => {
        printed += chunk.toString('utf8')
        const page = /visiting:\s+(https?:\/\/\S+)\s/.exec(printed)?.[1]
        if (page === undefined) return
        printed = ''
        // Where nobody comes back, the connect below fails, which says more.
        who.open(page).catch(() => undefined)
      })
      const client = new Client({ name: 'bench', version: '1.0.0' })
      await client.connect(transport)
      return { call: () => client.listTools(), close: () => client.close() }
    },
    async keepsLogin(url) {
      const tokens = await readKept(await folder, '_tokens.json')
      const client = await readKept(await folder, '_client_info.json')
      if (tokens?.refresh_token === undefined || client?.issuer === undefined) return false
      const looker = await plainClient(client.issuer, { clientId: String(client.client_id), resource: url })
      return (await looker.refresh(tokens.refresh_token)).status === 200
    },
    [Symbol.asyncDispose]: async () => rm(await folder, { recursive: true, force: true }),
  }
}

/** Not in its `exports`: what `npx mcp-remote` starts. */
function program(): string {
  const require = createRequire(import.meta.url)
  const manifest = require.resolve('mcp-remote/package.json')
  return join(dirname(manifest), require(manifest).bin['mcp-remote'])
}

/** One of the files that it keeps of its only server. */
async function readKept(folder: string, ending: string): Promise<Record<string, string | undefined> | undefined> {
  const name = (await readdir(folder, { recursive: true })).find((path) => path.endsWith(ending))
  return name === undefined ? undefined : JSON.parse(await readFile(join(folder, name), 'utf8'))
}

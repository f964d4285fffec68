import { mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { blocks, ROOT, read } from '../docs/support.js'
import { command, type Ended, succeeds } from './command.js'

/** What a host's project has beside Countersign: here as in the tests, so that the registry is asked for nothing else. */
const beside = ['@modelcontextprotocol/sdk', '@types/node']

const sdk = '@modelcontextprotocol/sdk/client'
const compilerOptions = {
  strict: true,
  target: 'es2023',
  module: 'nodenext',
  moduleResolution: 'nodenext',
  outDir: 'out',
}

/** A project whose only Countersign is the packed one. */
export async function installed(folder: string, tarballs: readonly string[]): Promise<void> {
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'host', private: true }))
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts']
  await succeeds('npm', ['install', ...quiet, ...tarballs], folder)
  for (const name of beside) {
    const path = join(folder, 'node_modules', name)
    await mkdir(dirname(path), { recursive: true })
    await symlink(await realpath(join(ROOT, 'test/node_modules', name)), path, 'junction')
  }
}

/**
 * Writes the README's agent into a project and compiles it: as it is shown, and once for each module system with what a test
 * has to add, which is the server's URL and somebody who opens the page. Also a module that takes everything there is, so
 * that every declaration is checked.
 */
export async function compileAgents(folder: string): Promise<Ended> {
  const [shown = ''] = blocks(await read('README.md'), 'ts')
  const imports = [
    `import { Client } from '${sdk}/index.js'`,
    `import { StreamableHTTPClientTransport } from '${sdk}/streamableHttp.js'`,
    "const client = new Client({ name: 'my-agent', version: '1.0.0' })",
  ].join('\n')
  const required = [
    "import countersign = require('@countersign/node')",
    `import sdk = require('${sdk}/index.js')`,
    `import transports = require('${sdk}/streamableHttp.js')`,
    'const { createConnector, loopback } = countersign',
    'const { StreamableHTTPClientTransport } = transports',
    "const client = new sdk.Client({ name: 'my-agent', version: '1.0.0' })",
  ].join('\n')
  const agent = runnable(shown)
  const sources = {
    'shown.mts': `import { createConnector } from '@countersign/node'\n${imports}\n${shown}`,
    'agent.mts': `import { createConnector, loopback } from '@countersign/node'\n${imports}\n${agent}`,
    'agent.cts': `${required}\nasync function main(): Promise<void> {\n${agent}}\nvoid main()\n`,
    'surface.mts': ['core', 'node', 'browser']
      .map((name) => `export * as ${name} from '@countersign/${name}'\n`)
      .join(''),
  }
  for (const [name, text] of Object.entries(sources)) await writeFile(join(folder, name), text)
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, types: ['node'] }, files: Object.keys(sources) }),
  )
  return command(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: folder })
}

/** The agent with somebody at the browser whom a test can play, and with an end. */
function runnable(shown: string): string {
  const open = "loopback({ open: (url) => console.log('open', url) })"
  const changed = shown
    .replace("clientName: 'My agent'", `clientName: 'My agent', userAgent: ${open}`)
    .replace("'https://mcp.example.com/mcp'", "process.argv[2] ?? ''")
  if (!changed.includes(open) || !changed.includes('argv')) throw new Error('the README shows another agent')
  return [
    changed,
    'const { tools } = await client.listTools()',
    "console.log('tools', ...tools.map(({ name }) => name))",
    'await notes.signOut()',
    'await client.close()',
    'await connector.close()',
    '',
  ].join('\n')
}

/** The packages that npm has put into a project. */
export async function installedVersions(folder: string): Promise<Readonly<Record<string, string>>> {
  const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string }>
  }
  return Object.fromEntries(
    Object.entries(lock.packages)
      .filter(([path]) => path.includes('@countersign/'))
      .map(([path, { version = '' }]) => [path, version]),
  )
}

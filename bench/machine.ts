import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'

const require = createRequire(import.meta.url)

/** The machine and the versions that a bench is of: figures without them say nothing. */
export function describeMachine(): string {
  const cores = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`
  const load = loadavg()[0]?.toFixed(1)
  return [
    `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown'}, ${memory}, ${platform()} ${release()} ${arch()}, load ${load}`,
    [`Node ${process.version}`, ...ours.map(withVersion)].join(', '),
    peers.map(withVersion).join(', '),
  ].join('\n')
}

const ours = ['@countersign/core', '@countersign/node', 'esbuild']
const peers = ['@modelcontextprotocol/sdk', '@modelcontextprotocol/client', 'mcp-remote']
const withVersion = (name: string): string => `${name} ${versionOf(name)}`

/** Not every package exports its manifest: the folder that it is found in has one. */
function versionOf(name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version
    } catch (error) {
      // Not in this folder: the next one up.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error(`${name} is not installed`)
}

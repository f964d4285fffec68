import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What ties a suite to Node: its package, its modules, and the servers and scripts that need its sockets and processes. */
const NODE =
  /'@countersign\/node'|'node:|\/node\/store\/|\/(real-servers|bad-input|canaries|run-script|one-machine|file-store)\.js'|\bstart(Authorization|Mcp|SelfSigned)Server\b|\bstartChaosProxy\b|\bECONN/

/** The suites of the flow that speak to nothing but scripted servers: they run wherever core runs. */
export const portableFlow: readonly string[] = readdirSync(join(root, 'test/flow'), {
  recursive: true,
  encoding: 'utf8',
})
  .map((path) => join('test/flow', path))
  .filter((path) => path.endsWith('.test.ts') && !NODE.test(readFileSync(join(root, path), 'utf8')))
  .sort()

/** With core's own: what Node, pages and workers run alike. */
export const flowSuites: readonly string[] = [
  ...readdirSync(join(root, 'test/core/flow'))
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('test/core/flow', path)),
  ...portableFlow,
]

/** What stands for a module of `test/servers` where there is no Node; undefined: the module itself. */
export const standIn = (id: string): string | undefined => {
  const name = /\/test\/servers\/(index|scriptable)\.ts$/.exec(id)?.[1]
  return name && join(root, `test/browser/support/page-${name === 'index' ? 'servers' : name}.ts`)
}

/** Puts the servers for pages in the place of those for Node. */
export const serversForPages: Plugin = {
  name: 'servers for pages',
  enforce: 'pre',
  async resolveId(source, importer, options) {
    if (!/\/(index|scriptable)\.js$/.test(source) || !importer) return
    const resolved = await this.resolve(source, importer, { ...options, skipSelf: true })
    return (resolved && standIn(resolved.id)) ?? resolved
  },
}

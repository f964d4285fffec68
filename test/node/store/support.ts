import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterEach } from 'vitest'

/** A fresh directory for each call, gone after the test. */
export function directories(): () => Promise<string> {
  const made: string[] = []
  afterEach(async () => {
    for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true })
  })
  return async () => {
    const directory = await mkdtemp(join(tmpdir(), 'countersign-store-'))
    made.push(directory)
    return directory
  }
}

export const KEY: Uint8Array = new Uint8Array(32).fill(7)

/** Beside the package, so that its native parts are found from there. */
const BUNDLES = fileURLToPath(new URL('../../../packages/node/node_modules/.cache/store-tests/', import.meta.url))

const bundled = new Map<string, string>()

/** Makes one file of a fixture, because processes that are started by the dozen must start fast. */
export function bundle(name: string): string {
  const made = bundled.get(name)
  if (made !== undefined) return made
  const outfile = join(BUNDLES, `${name}-${process.pid}.mjs`)
  buildSync({
    entryPoints: [fileURLToPath(new URL(`../fixtures/${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['fs-native-extensions', '@napi-rs/keyring', 'open'],
  })
  bundled.set(name, outfile)
  return outfile
}

export const start = (file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess =>
  spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })

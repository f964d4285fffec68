import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { bundled } from '../../support/bundled.js'

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

/** Makes one file of a fixture, because processes that are started by the dozen must start fast. */
export const bundle = (name: string): string => bundled(new URL(`../fixtures/${name}.ts`, import.meta.url))

export const start = (file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess =>
  spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })

import { readdirSync, readFileSync } from 'node:fs'
import { withoutComments } from '../support/source-text.js'
import type { RequirementId } from './index.js'

declare module 'vitest' {
  interface TestTags {
    /** A tag says which requirement a test would catch the breach of. */
    readonly requirement: RequirementId
    readonly timing: 'timing'
  }
}

/** From one test or group of tests to the next. */
const CALLS = /\b(?=(?:it|test|describe)(?:\.\w+)*[(<`])/
const NOT_RUN = /^\w+(?:\.\w+)*\.(?:skip|todo)\b/
const TAGS = /\btags:\s*(\[[^\]]*\]|'[^']*')/g

/** The ids that the tests of a file cite: their tags, but for tests that never run. */
export const citedIn = (text: string): readonly string[] =>
  withoutComments({ path: '', text })
    .split(CALLS)
    .filter((call) => !NOT_RUN.test(call))
    .flatMap((call) => [...call.matchAll(TAGS)])
    .flatMap(([, tags = '']) => [...tags.matchAll(/'([^']+)'/g)])
    .map(([, id = '']) => id)
    .filter((id) => id !== 'timing')

/** Every id that a test cites. That the tests run is CI's to see: there a skipped test fails. */
export function citations(): ReadonlySet<string> {
  const root = new URL('../', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !/node_modules|^requirements/.test(file),
  )
  return new Set(files.flatMap((file) => citedIn(readFileSync(new URL(file, root), 'utf8'))))
}

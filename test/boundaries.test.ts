import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Rule } from './support/boundaries.js'
import * as boundaries from './support/boundaries.js'
import { importsOf, type SourceFile } from './support/source-text.js'

const root = new URL('../', import.meta.url)

const sources: readonly SourceFile[] = ['core', 'node', 'browser'].flatMap((name) => {
  const folder = `packages/${name}/src`
  return readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(new URL(path, root), 'utf8') }))
})

const core = (path: string, text: string): SourceFile => ({ path: `packages/core/src/${path}`, text })
const node = (path: string, text: string): SourceFile => ({ path: `packages/node/src/${path}`, text })
const browser = (path: string, text: string): SourceFile => ({ path: `packages/browser/src/${path}`, text })

/** Each rule of `support/boundaries.ts`, with code that breaks it once on every line or file. */
const rules: Readonly<
  Record<keyof typeof boundaries, { readonly says: string; readonly broken: readonly SourceFile[] }>
> = {
  arrowsPointDown: {
    says: 'inside core, imports lead down only',
    broken: [
      core('primitives/scope.ts', "import { exchange } from '../steps/exchange.js'"),
      core('messages/parsed.ts', "import type { Http } from '../http/http.js'"),
      core('http/http.ts', "export * from '../messages/parsed.js'"),
      core('errors/error.ts', "import type { Log } from '../ports/log.js'"),
      core('flow/login.ts', "const late = import('../index.js')"),
      core('utilities/text.ts', ''),
    ],
  },
  portsAreTypes: {
    says: 'ports have no code that runs',
    broken: [
      core('ports/clock.ts', 'export const now = () => 0'),
      core('ports/log.ts', "import { type CountersignError } from '../errors/error.js'"),
    ],
  },
  indexOnlyExports: {
    says: 'an index only exports',
    broken: [core('index.ts', "export * from './flow/connector.js'\nexport const version = '1'")],
  },
  coreImports: {
    says: 'core needs no runtime and only its two packages',
    broken: [
      core('primitives/digest.ts', "import { createHash } from 'node:crypto'"),
      core('steps/register.ts', "import {\n  z,\n} from 'zod'"),
    ],
  },
  browserImports: {
    says: 'the browser package needs no Node',
    broken: [
      browser('redirect.ts', "import { open } from 'node:fs'"),
      browser('index.ts', "export * from '@countersign/node'"),
    ],
  },
  packagesMeetAtTheirNames: {
    says: 'packages import each other by name only',
    broken: [
      node('index.ts', "export * from '@countersign/core/src/index.js'"),
      browser('redirect.ts', "import type { Page } from '../../core/src/ports/user-agent.js'"),
    ],
  },
  noCycles: {
    says: 'files do not import each other in a circle, but for types',
    broken: [core('flow/a.ts', "import { a } from './a.js'")],
  },
  atMost250Lines: {
    says: 'no file has more than 250 lines',
    broken: [core('flow/login.ts', 'x\n'.repeat(251))],
  },
  onlyOwnErrors: {
    says: 'every error is a CountersignError',
    broken: [
      core('flow/login.ts', "throw new Error('no')"),
      node('presence.ts', "throw new TypeError('no')"),
      node('open.ts', "reject(new Error('no'))"),
    ],
  },
  noConsole: { says: 'nothing is printed', broken: [node('presence.ts', "console.log('here')")] },
  nothingLeftToDo: { says: 'no note to self is left', broken: [core('flow/login.ts', '// TODO: later')] },
  noGlobalAtModuleScope: {
    says: 'importing core or the browser package touches no global',
    broken: [
      core('flow/system.ts', 'export const started = Date.now()'),
      core('flow/clock.ts', 'const clock = {\n  now: () => Date.now(),\n  zero: performance.now(),\n}'),
      core('http/http.ts', 'const own = [fetch]'),
      browser('redirect.ts', "if (typeof window === 'undefined') start()"),
    ],
  },
  oneDocblockEach: { says: 'a docblock stands for one thing', broken: [core('a.ts', '/** One. */\n/** Two. */\nx()')] },
  oneDoorToTheNetwork: {
    says: 'requests leave through http/, or as MCP requests',
    broken: [
      core('steps/register.ts', 'await fetch(url)'),
      core('flow/login.ts', 'await options.fetch(url)'),
      core('flow/discovery.ts', 'await globalThis.fetch(url)'),
      core('steps/exchange.ts', 'await runtime.fetch(url)'),
      node('presence.ts', 'await runtime.oauthFetch(url)'),
    ],
  },
}

describe.each(Object.entries(rules))('%s', (name, { says, broken }) => {
  const rule = new Map<string, Rule>(Object.entries(boundaries)).get(name)

  it(`holds: ${says}`, () => {
    expect(rule?.(sources)).toEqual([])
  })

  it.each(broken)('fails where it is broken: $path', (file) => {
    expect(rule?.([file])).toEqual([expect.stringContaining(file.path)])
  })
})

it('sees every file and every import', () => {
  expect(sources.length).toBeGreaterThan(80)
  for (const file of sources) {
    const froms = file.text.match(/^(import|export|\}) .*from '/gm) ?? []
    expect([file.path, importsOf(file).length]).toEqual([file.path, expect.toSatisfy((n) => n >= froms.length)])
  }
})

it('finds a circle of several files, and lets types form one', () => {
  const circle = [
    core('flow/a.ts', "import { b } from './b.js'"),
    core('flow/b.ts', "import { c } from './c.js'\nimport type { A } from './a.js'"),
    core('flow/c.ts', "export { type A } from './a.js'"),
  ]
  const [a, b, c] = circle.map(({ path }) => path)
  expect(boundaries.noCycles(circle)).toEqual([`${a} -> ${b} -> ${c} -> ${a}`])
  expect(boundaries.noCycles(circle.slice(0, 2))).toEqual([])
})

describe('what is allowed', () => {
  it.each([
    [
      'an arrow down, and inside a room',
      core('flow/a.ts', "import { b } from '../steps/b.js'\nimport { c } from './c.js'"),
    ],
    [
      'types among the ports',
      core('ports/clock.ts', "import type { E } from '../errors/error.js'\nexport interface C {}"),
    ],
    [
      'forbidden words in comments and strings',
      core('flow/a.ts', "// throw new Error('no')\nconst a = 'fetch(console.log)'"),
    ],
    [
      'globals inside functions',
      core(
        'flow/system.ts',
        'export const clock: Clock = {\n  now: () => Date.now(),\n  zero() {\n    return performance.now()\n  },\n}\nfunction a() {\n  document.title\n}',
      ),
    ],
    [
      'members that have the name of a global',
      core('flow/a.ts', 'const members = { fetch: 1, location: core.location }'),
    ],
  ])('%s', (_name, file) => {
    expect(Object.values(boundaries).flatMap((rule) => rule([file]))).toEqual([])
  })
})

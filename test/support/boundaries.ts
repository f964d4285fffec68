import { codeOnly, importsOf, moduleScope, type SourceFile } from './source-text.js'

/** What is wrong in these files, a line each; empty when nothing is. */
export type Rule = (files: readonly SourceFile[]) => readonly string[]

/** The rooms of core, and the rooms that each may use. Arrows point down only. */
const below: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  ports: ['errors'],
  primitives: ['ports', 'errors'],
  messages: ['primitives', 'ports', 'errors'],
  http: ['primitives', 'ports', 'errors'],
  stores: ['primitives', 'ports', 'errors'],
  credentials: ['messages', 'http', 'primitives', 'ports', 'errors'],
  steps: ['credentials', 'messages', 'http', 'primitives', 'ports', 'errors'],
  flow: ['steps', 'credentials', 'messages', 'http', 'stores', 'primitives', 'ports', 'errors'],
}

const CORE_PACKAGES = ['oauth4webapi', 'dpop']
const LONGEST = 250

const packageOf = (path: string): string | undefined => /^packages\/([^/]+)\//.exec(path)?.[1]
const isCore = ({ path }: SourceFile): boolean => packageOf(path) === 'core'
const roomOf = (path: string): string | undefined => /^packages\/core\/src\/([^/]+)\//.exec(path)?.[1]
const isIndex = ({ path }: SourceFile): boolean => /^packages\/[^/]+\/src\/index\.ts$/.test(path)

/** A rule about one file at a time. */
const each =
  (applies: (file: SourceFile) => boolean, findings: (file: SourceFile) => readonly string[]): Rule =>
  (files) =>
    files.filter(applies).flatMap((file) => findings(file).map((finding) => `${file.path}: ${finding}`))

/** A rule that nothing in the code matches a pattern. */
const nowhere = (
  pattern: RegExp,
  applies: (file: SourceFile) => boolean = () => true,
  read: (file: SourceFile) => string = codeOnly,
): Rule =>
  each(applies, (file) => {
    const text = read(file)
    return [...text.matchAll(pattern)].map((match) => `line ${lineAt(text, match.index)}: ${match[0].trim()}`)
  })

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length

export const arrowsPointDown: Rule = each(
  (file) => isCore(file) && !isIndex(file),
  (file) => {
    const room = roomOf(file.path) ?? '(none)'
    const allowed = below[room]
    if (allowed === undefined) return [`${room} is no room of core`]
    return importsOf(file)
      .filter(({ target }) => target !== undefined && roomOf(target) !== room)
      .filter(({ target }) => !allowed.includes(roomOf(target ?? '') ?? ''))
      .map(({ target }) => `${room} may not import ${target}`)
  },
)

export const portsAreTypes: Rule = each(
  ({ path }) => roomOf(path) === 'ports',
  (file) => [
    ...importsOf(file)
      .filter(({ typeOnly }) => !typeOnly)
      .map(({ specifier }) => `imports ${specifier} at run time`),
    ...[
      ...codeOnly(file).matchAll(/^(export )?(default |async |abstract )*(const|let|var|function|class|enum)\b.*/gm),
    ].map((match) => `runs: ${match[0].trim()}`),
  ],
)

export const indexOnlyExports: Rule = each(isIndex, (file) => {
  const rest = codeOnly(file).replace(/^export\s+(type\s+)?(\*(\s+as\s+\w+)?|\{[^}]*\})\s+from\b/gm, '')
  return rest.split('\n').flatMap((line) => (line.trim() === '' ? [] : [`not an export: ${line.trim()}`]))
})

export const coreImports: Rule = each(isCore, (file) =>
  importsOf(file)
    .filter(({ specifier, target }) => target === undefined && !CORE_PACKAGES.includes(specifier))
    .map(({ specifier }) => `imports ${specifier}`),
)

export const browserImports: Rule = each(
  ({ path }) => packageOf(path) === 'browser',
  (file) =>
    importsOf(file)
      .filter(({ specifier }) => specifier.startsWith('node:') || specifier === '@countersign/node')
      .map(({ specifier }) => `imports ${specifier}`),
)

export const packagesMeetAtTheirNames: Rule = each(
  () => true,
  (file) =>
    importsOf(file)
      .filter(({ specifier, target }) =>
        target === undefined
          ? /^@countersign\/[^/]+\//.test(specifier)
          : !target.startsWith(`packages/${packageOf(file.path)}/src/`),
      )
      .map(({ specifier }) => `imports ${specifier}`),
)

/** Type-only imports are gone at run time and may form a circle. */
export const noCycles: Rule = (files) => {
  const imports = new Map(
    files.map((file) => [
      file.path,
      importsOf(file).flatMap(({ typeOnly, target }) => (typeOnly || target === undefined ? [] : [target])),
    ]),
  )
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '))
    if (trail.includes(path) || done.has(path)) return
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of imports.keys()) visit(path, [])
  return found
}

export const atMost250Lines: Rule = each(
  () => true,
  ({ text }) => {
    const lines = text.trimEnd().split('\n').length
    return lines > LONGEST ? [`${lines} lines`] : []
  },
)

/** Every failure is one of ours, with its code: no other error is made to be thrown. */
export const onlyOwnErrors: Rule = nowhere(/\b(throw|reject\() ?new (?!CountersignError\b)\w+\(/g)

export const noConsole: Rule = nowhere(/\bconsole\b\s*[.[]/g)

export const nothingLeftToDo: Rule = nowhere(
  /\b(TODO|FIXME|XXX)\b/g,
  () => true,
  ({ text }) => text,
)

const GLOBALS =
  'fetch|Date|crypto|performance|setTimeout|setInterval|queueMicrotask|globalThis|document|window|location|navigator|localStorage|sessionStorage|indexedDB|process'

/** Importing does nothing, so that a server may render the page, a test may replace a global, and a bundler may drop it. */
export const noGlobalAtModuleScope: Rule = nowhere(
  new RegExp(`(?<![.\\w$])(${GLOBALS})\\b(?!\\s*:)`, 'g'),
  ({ path }) => packageOf(path) !== 'node',
  moduleScope,
)

export const oneDocblockEach: Rule = nowhere(
  /\*\/\s*\/\*\*/g,
  () => true,
  ({ text }) => text,
)

/** Where the runtime's own `fetch` is used: as the default of the host's, and for a URL that is none of OAuth's or MCP's. */
const OWN_FETCH = [
  'packages/core/src/flow/runtime.ts',
  'packages/node/src/assertion/from-url.ts',
  'packages/browser/src/cross-origin.ts',
  'packages/browser/src/page-fetch.ts',
]

/** `http/` is the door for OAuth, the `fetch` that the host gave the one for MCP. */
export const oneDoorToTheNetwork: Rule = (files) => [
  ...nowhere(/(?<!\bruntime\.|\bglobalThis\.)\bfetch\(|\boauthFetch\(/g, ({ path }) => roomOf(path) !== 'http')(files),
  ...nowhere(/\bruntime\.fetch\(/g, ({ path }) => roomOf(path) !== 'flow')(files),
  ...nowhere(/\bglobalThis\.fetch\(/g, ({ path }) => !OWN_FETCH.includes(path))(files),
]

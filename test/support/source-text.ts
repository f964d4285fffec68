/** A file of the repository, as the boundary rules see it. */
export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** One import, re-export or `import()` of a file. */
export interface Import {
  readonly specifier: string
  /** `import type` and `export type`: gone at run time. (`import { type A }` is not: the file is still loaded.) */
  readonly typeOnly: boolean
  /** The path that a relative specifier leads to; undefined for a package. */
  readonly target: string | undefined
}

// Strings first, so that what looks like a comment inside one is left alone.
const COMMENT_OR_STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g

const spaces = (text: string): string => text.replace(/[^\n]/g, ' ')

/** The code, with comments blanked; line numbers stay. */
export const withoutComments = ({ text }: SourceFile): string =>
  text.replace(COMMENT_OR_STRING, (part) => (part.startsWith('/') ? spaces(part) : part))

/** The code, with comments and the contents of strings blanked. */
export const codeOnly = ({ text }: SourceFile): string => text.replace(COMMENT_OR_STRING, spaces)

const STATIC = /^(import|export)\s+(type\s+)?(?:[\w$*\s{},]*?\sfrom\s+)?'([^']+)'/gm
const DYNAMIC = /\bimport\(\s*'([^']+)'/g

/** What a file imports. */
export function importsOf(file: SourceFile): readonly Import[] {
  const code = withoutComments(file)
  const made = (specifier: string, typeOnly: boolean): Import => ({
    specifier,
    typeOnly,
    target: specifier.startsWith('.') ? resolvePath(file.path, specifier) : undefined,
  })
  return [
    ...[...code.matchAll(STATIC)].map((match) => made(match[3] ?? '', match[2] !== undefined)),
    ...[...code.matchAll(DYNAMIC)].map((match) => made(match[1] ?? '', false)),
  ]
}

function resolvePath(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1).replace(/\.js$/, '.ts')
}

/** What runs when the file is imported: statements at module scope, without what is inside a function. */
export function moduleScope(file: SourceFile): string {
  // Formatted code starts a statement, and nothing else but a closing bracket, in the first column.
  return codeOnly(file)
    .split(/^(?=[A-Za-z_$@])/m)
    .filter(
      (statement) =>
        !/^(import|(export )?(declare |default |abstract |async )*(function|class|interface|type)\b)/.test(statement),
    )
    .map(withoutFunctionBodies)
    .join('')
}

function withoutFunctionBodies(statement: string): string {
  let kept = ''
  for (let at = 0; at < statement.length; ) {
    // An arrow, or the parameters of a method.
    const head = /^(=>\s*|\)[^(){};=,]*(?=\{))/.exec(statement.slice(at))?.[0]
    kept += head ?? statement[at]
    at += head?.length ?? 1
    if (head !== undefined) at = endOfBody(statement, at)
  }
  return kept
}

/** Where the function body at `from` ends: a block at its brace, an expression at the comma or bracket after it. */
function endOfBody(text: string, from: number): number {
  const block = text[from] === '{'
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const char = text[at] ?? ''
    if (!block && depth === 0 && ',)]}'.includes(char)) return at
    if ('([{'.includes(char)) depth++
    else if (')]}'.includes(char)) depth--
    if (block && depth === 0) return at + 1
  }
  return text.length
}

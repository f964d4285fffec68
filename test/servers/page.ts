/** The form of a page, as it would be submitted untouched. */
export interface Form {
  readonly action: URL
  readonly method: 'GET' | 'POST'
  readonly fields: readonly Field[]
}

interface Field {
  readonly name: string
  readonly type: string
  readonly value: string
}

/** The first form of a page. Enough of HTML for a server-rendered login page, and no more. */
export function firstForm(html: string, base: URL): Form | undefined {
  const [, start, content] = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(html) ?? []
  if (start === undefined || content === undefined) return undefined
  const form = attributes(start)
  const fields = [...content.matchAll(/<input\b([^>]*)>/gi)]
    .map(([, input = '']) => attributes(input))
    .filter((input) => input.has('name'))
    .map((input) => ({
      name: input.get('name') ?? '',
      type: (input.get('type') ?? 'text').toLowerCase(),
      value: input.get('value') ?? '',
    }))
  const method = form.get('method')?.toUpperCase() === 'POST' ? 'POST' : 'GET'
  return { action: new URL(form.get('action') || base.href, base), method, fields }
}

/** Where the link with this text leads. */
export function linkNamed(text: RegExp, html: string, base: URL): URL | undefined {
  for (const [, start = '', label = ''] of html.matchAll(/<a\b([^>]*)>([\s\S]*?)<\/a>/gi)) {
    const href = attributes(start).get('href')
    if (href !== undefined && text.test(label)) return new URL(href, base)
  }
  return undefined
}

function attributes(source: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const [, name = '', double, single, bare] of source.matchAll(
    /([^\s"'=<>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g,
  )) {
    found.set(name.toLowerCase(), decoded(double ?? single ?? bare ?? ''))
  }
  return found
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decoded(text: string): string {
  return text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    return entities[name] ?? whole
  })
}

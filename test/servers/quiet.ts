import { format } from 'node:util'

const colourStart = String.fromCharCode(27)

/**
 * Keeps `oidc-provider`'s own notices off the console until the returned function is called.
 *
 * It announces an "unsupported" Node on import and its development pages on construction, and has no setting for
 * either. Only its lines are dropped, and only meanwhile: everything else that is printed still is.
 */
export function muteProviderNotices(): () => void {
  const sink: Pick<Console, 'info' | 'warn'> = console
  const restore = (['info', 'warn'] as const).map((name) => {
    const original = sink[name]
    const filtered = (...parts: unknown[]): void => {
      if (!isProviderNotice(format(...parts))) original.apply(console, parts)
    }
    sink[name] = filtered
    return () => {
      // Somebody else may have replaced it meanwhile, a test's spy for one: then it is theirs.
      if (sink[name] === filtered) sink[name] = original
    }
  })
  return () => {
    for (const back of restore) back()
  }
}

function isProviderNotice(line: string): boolean {
  // On a terminal it starts with a colour.
  const plain = line.startsWith(colourStart) ? line.slice(line.indexOf('m') + 1) : line
  return /^oidc-provider (NOTICE|WARNING): /.test(plain)
}

const LONGEST = 2_000
/** Shorter than this, a text is not secret, and leaving it out would spoil the rest. */
const SHORTEST_SECRET = 6

/** Makes what foreign servers say fit for a terminal. */
export interface Printable {
  /** From now on this text is left out of whatever is printed. */
  hide(secret: string): void
  /** A copy whose every text is one line, with nothing in it that a terminal obeys, and without what is hidden. */
  of<T>(value: T): T
}

/** @param url - its query may be a secret: neither that nor the values in it are printed */
export function createPrintable(url: string): Printable {
  const { search, searchParams } = new URL(url)
  const hidden = new Set<string>()
  const hide = (secret: string): void => {
    if (secret.length >= SHORTEST_SECRET) hidden.add(secret)
  }
  for (const secret of [search.slice(1), ...searchParams.values()]) hide(secret)

  const text = (raw: string): string => {
    let shown = raw
    for (const secret of hidden) shown = shown.replaceAll(secret, '...')
    shown = shown.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '?')
    return shown.length > LONGEST ? `${shown.slice(0, LONGEST)}...` : shown
  }
  return {
    hide,
    of: (value) =>
      JSON.parse(JSON.stringify(value, (_, member) => (typeof member === 'string' ? text(member) : member))),
  }
}

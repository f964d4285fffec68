/** The URL that `text` is, resolved against `base` where it is relative; `undefined` where it is none. */
export const parseUrl = (text: string, base?: string): URL | undefined =>
  URL.canParse(text, base) ? new URL(text, base) : undefined

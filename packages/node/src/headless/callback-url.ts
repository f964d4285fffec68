import { timingSafeEqual } from 'node:crypto'

/** What was pasted: the response, or what is wrong with it in words for the person. */
export type Pasted = { readonly parameters: URLSearchParams } | { readonly problem: string }

const problem = (text: string): Pasted => ({ problem: text })

/**
 * Reads the address that the person copied from their browser. A bare code is refused: it has neither the `state` nor the `iss`
 * that show whose login it answers (RFC 6749 section 10.12, RFC 9207).
 *
 * @param redirectUri - where the browser was sent
 */
export function readCallbackUrl(text: string, redirectUri: string, state: string): Pasted {
  // Terminals and chat windows break long lines.
  const pasted = text.replace(/\s+/g, '').replace(/^["'<]|["'>]$/g, '')
  if (pasted === '') return problem('Nothing was pasted.')
  if (!URL.canParse(pasted)) {
    return problem(
      `That is not the whole address. It begins with ${redirectUri}? and has state and, from most servers, iss, which show ` +
        'that it answers this sign-in: a code alone is not enough.',
    )
  }
  const { origin, pathname, searchParams } = new URL(pasted)
  if (`${origin}${pathname}` !== new URL(redirectUri).href) {
    return problem(`That is another address. The right one begins with ${redirectUri}?`)
  }
  const states = searchParams.getAll('state')
  const [found = ''] = states
  if (states.length !== 1 || !same(found, state)) {
    return problem('That answers another sign-in. Open the address above again, and paste where it ends.')
  }
  return { parameters: searchParams }
}

const same = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

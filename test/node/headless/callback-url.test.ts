import { describe, expect, it } from 'vitest'
import { readCallbackUrl } from '../../../packages/node/src/headless/callback-url.js'

const REDIRECT = 'http://127.0.0.1:4100/callback'
const GOOD = `${REDIRECT}?code=c1&state=s1&iss=https%3A%2F%2Fas.example`
const read = (text: string) => readCallbackUrl(text, REDIRECT, 's1')

describe('the address that a person pastes', () => {
  it.each([
    ['as it is', GOOD],
    ['with the line break of a narrow terminal in it', `  ${GOOD.slice(0, 40)}\n   ${GOOD.slice(40)}\n`],
    ['in quotes', `"${GOOD}"`],
    ['in angle brackets', `<${GOOD}>`],
  ])('is read: %s', (_name, text) => {
    const pasted = read(text)
    expect('parameters' in pasted && Object.fromEntries(pasted.parameters)).toEqual({
      code: 'c1',
      state: 's1',
      iss: 'https://as.example',
    })
  })

  it('is read where the server said no', () => {
    expect(read(`${REDIRECT}?error=access_denied&state=s1`)).toHaveProperty('parameters')
  })

  it.each([
    ['nothing', '  \n', 'Nothing was pasted'],
    ['a bare code, which says nothing of whose it is', 'c1', 'a code alone is not enough'],
    ['a bare code that looks like an address', 'as:c1', 'another address'],
    ['the parameters alone', 'code=c1&state=s1', 'not the whole address'],
    ['the page that was to be opened', 'https://as.example/authorize?state=s1', 'another address'],
    ['another port', 'http://127.0.0.1:4101/callback?code=c1&state=s1', 'another address'],
    ['another path', 'http://127.0.0.1:4100/elsewhere?code=c1&state=s1', 'another address'],
    ['no state', `${REDIRECT}?code=c1`, 'another sign-in'],
    ['the state of another sign-in', `${REDIRECT}?code=c1&state=s2`, 'another sign-in'],
    ['a longer state', `${REDIRECT}?code=c1&state=s11`, 'another sign-in'],
    ['two states', `${REDIRECT}?code=c1&state=s1&state=s1`, 'another sign-in'],
  ])('is refused in words that help: %s', (_name, text, words) => {
    const pasted = read(text)
    expect(pasted).toEqual({ problem: expect.stringContaining(words) })
    expect(JSON.stringify(pasted)).not.toContain('c1')
  })
})

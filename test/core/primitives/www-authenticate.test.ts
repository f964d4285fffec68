import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseWwwAuthenticate } from '../../../packages/core/src/primitives/www-authenticate.js'

/** Challenges as plain data. */
const read = (header: string) =>
  parseWwwAuthenticate(header).challenges.map(({ scheme, token68, parameters }) => ({
    scheme,
    ...(token68 !== undefined && { token68 }),
    ...Object.fromEntries(parameters),
  }))
const malformed = (header: string) => parseWwwAuthenticate(header).malformed

describe('what the grammar allows (RFC 9110 section 11.6.1)', { tags: 'mcp-discovery/parse-challenge' }, () => {
  test.each<[string, string, object[]]>([
    ['nothing', '', []],
    ['a bare scheme', 'Negotiate', [{ scheme: 'Negotiate' }]],
    ['one parameter', 'Bearer realm="x"', [{ scheme: 'Bearer', realm: ['x'] }]],
    ['a token as value', 'Bearer error=invalid_token', [{ scheme: 'Bearer', error: ['invalid_token'] }]],
    ['an empty value', 'Bearer realm=""', [{ scheme: 'Bearer', realm: [''] }]],
    ['parameter names in any case', 'bearer Scope="a"', [{ scheme: 'bearer', scope: ['a'] }]],
    [
      'space around the equals sign (A05)',
      'Bearer realm = "x" , scope\t=a',
      [{ scheme: 'Bearer', realm: ['x'], scope: ['a'] }],
    ],
    ['escapes', 'Bearer realm="a \\"b\\" \\\\ c"', [{ scheme: 'Bearer', realm: ['a "b" \\ c'] }]],
    [
      'commas in quotes (A05)',
      'Bearer realm="a, Basic b=c", scope=d',
      [{ scheme: 'Bearer', realm: ['a, Basic b=c'], scope: ['d'] }],
    ],
    ['empty list elements', ', ,Bearer realm="x",, ,scope=a,', [{ scheme: 'Bearer', realm: ['x'], scope: ['a'] }]],
    ['token68', 'Negotiate YWJj/+-._~==', [{ scheme: 'Negotiate', token68: 'YWJj/+-._~==' }]],
    ['a folded line (A05)', 'Bearer realm="x",\r\n scope=a', [{ scheme: 'Bearer', realm: ['x'], scope: ['a'] }]],
    [
      'several challenges (A04)',
      'Negotiate, Basic realm="b", charset="UTF-8", Bearer realm="x", DPoP algs="ES256"',
      [
        { scheme: 'Negotiate' },
        { scheme: 'Basic', realm: ['b'], charset: ['UTF-8'] },
        { scheme: 'Bearer', realm: ['x'] },
        { scheme: 'DPoP', algs: ['ES256'] },
      ],
    ],
    [
      'token68 between challenges',
      'Negotiate abc=, Bearer realm="x"',
      [
        { scheme: 'Negotiate', token68: 'abc=' },
        { scheme: 'Bearer', realm: ['x'] },
      ],
    ],
    [
      'text in quotes that looks like a parameter (A06)',
      'Bearer error_description="needs scope=admin, resource_metadata=\\"https://evil.example\\""',
      [{ scheme: 'Bearer', error_description: ['needs scope=admin, resource_metadata="https://evil.example"'] }],
    ],
    ['a name that ends like another (A06)', 'Bearer not_scope="a"', [{ scheme: 'Bearer', not_scope: ['a'] }]],
    ['the same parameter twice (A03)', 'Bearer a="1", b="2", A="3"', [{ scheme: 'Bearer', a: ['1', '3'], b: ['2'] }]],
  ])('%s', (_, header, challenges) => {
    expect(read(header)).toEqual(challenges)
    expect(malformed(header)).toBe(false)
  })
})

describe('what servers send besides, and how it was meant', () => {
  test.each<[string, string, object[]]>([
    [
      'single quotes (A05)',
      "Bearer realm='a, b', scope='c d'",
      [{ scheme: 'Bearer', realm: ['a, b'], scope: ['c d'] }],
    ],
    [
      'an unquoted URL (A05)',
      'Bearer resource_metadata=https://x.example/a?b=c, scope=d',
      [{ scheme: 'Bearer', resource_metadata: ['https://x.example/a?b=c'], scope: ['d'] }],
    ],
    [
      'an unquoted value with spaces',
      'Bearer scope=mcp:read mcp:write, realm=x',
      [{ scheme: 'Bearer', scope: ['mcp:read mcp:write'], realm: ['x'] }],
    ],
    [
      'an unquoted value with spaces, then a parameter',
      'Bearer scope=a b realm="x"',
      [{ scheme: 'Bearer', scope: ['a b'], realm: ['x'] }],
    ],
    [
      'no commas',
      'Bearer realm="x" scope="a b" error="e"',
      [{ scheme: 'Bearer', realm: ['x'], scope: ['a b'], error: ['e'] }],
    ],
    [
      'a quote that does not end',
      'Bearer realm="x", resource_metadata="https://x.example/a',
      [{ scheme: 'Bearer', realm: ['x'], resource_metadata: ['https://x.example/a'] }],
    ],
    [
      'a quote that does not end, in a list',
      'Bearer scope="a b, Basic realm=x',
      [
        { scheme: 'Bearer', scope: ['a b'] },
        { scheme: 'Basic', realm: ['x'] },
      ],
    ],
    [
      'a value left out',
      'Bearer realm="x", scope=, error=e',
      [{ scheme: 'Bearer', realm: ['x'], scope: [''], error: ['e'] }],
    ],
    ['a first value left out', 'Bearer scope=, error=e', [{ scheme: 'Bearer', token68: 'scope=', error: ['e'] }]],
    ['words of no meaning', 'Bearer please log in, realm="x"', [{ scheme: 'Bearer', realm: ['x'] }]],
    ['no scheme', 'realm="x"', []],
    [
      'a URL in place of a challenge',
      'https://x.example/login, Bearer realm="x"',
      [{ scheme: 'Bearer', realm: ['x'] }],
    ],
    [
      'quoted text in place of a challenge',
      '"Bearer realm=x, scope=y", Bearer realm="z"',
      [{ scheme: 'Bearer', realm: ['z'] }],
    ],
    ['text after a closing quote', 'Bearer realm="x"y, scope=a', [{ scheme: 'Bearer', realm: ['x'], scope: ['a'] }]],
    ['a backslash at the end', 'Bearer realm="x\\', [{ scheme: 'Bearer', realm: ['x\\'] }]],
  ])('%s', (_, header, challenges) => {
    expect(read(header)).toEqual(challenges)
    expect(malformed(header)).toBe(true)
  })
})

describe('for every header', () => {
  const tchar = fc.constantFrom(...'abcXYZ019!#$%&*+-.^_`|~')
  const token = fc.string({ unit: tchar, minLength: 1, maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom(...'ab c"\\,=;\'()/:\téÿ'), maxLength: 12 })
  const token68 = fc.stringMatching(/^[A-Za-z0-9\-._~+/]{1,12}={0,2}$/)
  const blank = fc.constantFrom('', ' ', '\t', '  ')
  const parameter = fc.record({
    name: token,
    value: fc.oneof(text, token),
    bare: fc.boolean(),
    before: blank,
    after: blank,
  })
  const challenge = fc.record({
    scheme: token,
    credentials: fc.oneof(
      token68.map((value) => ({ token68: value })),
      fc
        .uniqueArray(parameter, { maxLength: 4, selector: ({ name }) => name.toLowerCase() })
        .map((parameters) => ({ parameters })),
    ),
  })
  const comma = fc.constantFrom(',', ', ', ' , ', ',, ', ',\t')

  type Parameter = { name: string; value: string; bare: boolean; before: string; after: string }
  const renderParameter = ({ name, value, bare, before, after }: Parameter) => {
    const asToken = bare && /^[!#$%&*+\-.^_`|~0-9A-Za-z]+$/.test(value)
    return `${name}${before}=${after}${asToken ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`
  }

  test('a rendered one parses to what it was made of', () => {
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 4 }), comma, (challenges, separator) => {
        const header = challenges
          .map(({ scheme, credentials }) => {
            const rest =
              'token68' in credentials
                ? credentials.token68
                : credentials.parameters.map(renderParameter).join(separator)
            return rest === '' ? scheme : `${scheme} ${rest}`
          })
          .join(separator)
        const expected = challenges.map(({ scheme, credentials }) => ({
          scheme,
          ...('token68' in credentials
            ? credentials
            : Object.fromEntries(credentials.parameters.map(({ name, value }) => [name.toLowerCase(), [value]]))),
        }))
        expect(read(header)).toEqual(expected)
        expect(malformed(header)).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  test('parsing ends and does not throw', () => {
    const fragment = fc.constantFrom(
      'Bearer',
      ' ',
      ',',
      '=',
      '"',
      "'",
      '\\',
      'scope',
      'a b',
      'https://x/?a=b',
      '\n',
      'é',
    )
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fragment).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(header, (value) => void parseWwwAuthenticate(value)),
      { numRuns: 1000 },
    )
  })

  test.each([
    '"',
    ',',
    'a=',
    "a='",
    "'",
    'a="',
    'a="\\',
    '\\"',
    'a ',
    'a b=',
    '=',
    'a, ',
    '=\\"',
    "''=",
    'Bearer a=b c ',
  ])('takes time in proportion to its length: %j, repeated', { tags: 'timing' }, (unit) => {
    const started = performance.now()
    parseWwwAuthenticate(`Bearer x=${unit.repeat(200_000)}`)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

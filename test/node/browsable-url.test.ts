import { describe, expect, it } from 'vitest'
import { browsableUrl } from '../../packages/node/src/browsable-url.js'
import { REFUSED } from './browsable-urls.js'

describe('a URL that a browser may be given', { tags: 'mcp-practices/authorization-url-allowlist' }, () => {
  it.each([
    ['https://as.example/authorize?a=b&c=d#e', 'https://as.example/authorize?a=b&c=d#e'],
    ['HTTPS://AS.Example', 'https://as.example/'],
    ['http://127.0.0.1:4000/authorize', 'http://127.0.0.1:4000/authorize'],
    ['http://127.8.9.10/authorize', 'http://127.8.9.10/authorize'],
    ['http://localhost:4000/', 'http://localhost:4000/'],
    ['http://[::1]:4000/', 'http://[::1]:4000/'],
  ])('%s', (url, href) => expect(browsableUrl(url)).toBe(href))

  it('has URL characters only when it is passed on', () => {
    const href = browsableUrl('https://as.example/é\u202e"<>`?q="<>\'é’‘')
    expect(href).toMatch(/^[\x21-\x7e]+$/)
    expect(href).not.toMatch(/["<>`]/)
  })
})

describe('a URL that no opener sees', {
  tags: [
    'mcp-practices/authorization-url-http',
    'mcp-practices/authorization-url-dangerous',
    'mcp-practices/authorization-url-allowlist',
    'mcp-practices/sanitize-urls',
  ],
}, () => {
  it.each(REFUSED.map((url) => [url]))('%j', (url) => {
    expect(() => browsableUrl(url)).toThrow(expect.objectContaining({ code: 'url_not_allowed', step: 'present' }))
  })

  it('does not have its secrets repeated in the error', () => {
    expect(() => browsableUrl('https://user:hunter2@as.example/?code=hunter2')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    )
    expect(() => browsableUrl('http://user:hunter2@as.example/?code=hunter2')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    )
  })
})

import { BlockList, isIPv4 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressClass, urlProblem } from '../../../packages/core/src/primitives/url-policy.js'

describe('where an address leads', { tags: 'mcp-practices/ssrf-private-addresses' }, () => {
  test.each([
    ['localhost', 'loopback'],
    ['LOCALHOST.', 'loopback'],
    ['app.localhost', 'loopback'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['::1', 'loopback'],
    ['[::1]', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['[::ffff:7f00:1]', 'loopback'],
    ['0.0.0.0', 'private'],
    ['::', 'private'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.1.1', 'private'],
    ['169.254.169.254', 'private'],
    ['100.64.0.1', 'private'],
    ['100.128.0.1', 'public'],
    ['198.18.0.1', 'private'],
    ['198.19.255.255', 'private'],
    ['198.20.0.1', 'public'],
    ['fc00::1', 'private'],
    ['fdff::1', 'private'],
    ['fe80::1', 'private'],
    ['fe80::1%eth0', 'private'],
    ['febf::1', 'private'],
    ['2606:4700::1111', 'public'],
    ['ff02::1', 'public'],
    ['::ffff:10.0.0.1', 'private'],
    ['[::ffff:a9fe:a9fe]', 'private'],
    ['::ffff:8.8.8.8', 'public'],
    ['::10.0.0.1', 'private'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b::a9fe:a9fe', 'private'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['8.8.8.8', 'public'],
    ['example.com', 'public'],
    ['localhost.example.com', 'public'],
    ['notlocalhost', 'private'],
    ['intranet', 'private'],
    ['printer.local', 'private'],
    ['metadata.google.internal', 'private'],
    ['METADATA.GOOGLE.INTERNAL.', 'private'],
  ])('%s is %s', (hostname, expected) => {
    expect(addressClass(hostname)).toBe(expected)
  })

  test.each(['0x7f.1', '2130706433', '0177.0.0.1', '127.1', '１２７.0.0.1'])(
    '%s is 127.0.0.1 in disguise',
    (hostname) => {
      expect(addressClass(hostname)).toBe('loopback')
    },
  )

  test.each(['::127.0.0.1', '64:ff9b::127.0.0.1'])('%s is not this machine, so cleartext would travel', (hostname) => {
    expect(addressClass(hostname)).toBe('private')
  })

  test('agrees with the runtime about every address', () => {
    const loopback = new BlockList()
    loopback.addSubnet('127.0.0.0', 8)
    loopback.addAddress('::1', 'ipv6')
    const internal = new BlockList()
    for (const [network, bits] of [
      ['0.0.0.0', 8],
      ['10.0.0.0', 8],
      ['100.64.0.0', 10],
      ['169.254.0.0', 16],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
      ['198.18.0.0', 15],
    ] as const) {
      internal.addSubnet(network, bits)
      internal.addSubnet(`::${network}`, 96 + bits, 'ipv6')
      internal.addSubnet(`64:ff9b::${network}`, 96 + bits, 'ipv6')
    }
    for (const prefix of ['::', '64:ff9b::']) internal.addSubnet(`${prefix}127.0.0.0`, 104, 'ipv6')
    internal.addSubnet('fc00::', 7, 'ipv6')
    internal.addSubnet('fe80::', 9, 'ipv6')
    internal.addSubnet('fe00::', 9, 'ipv6')
    const near = fc.tuple(
      fc.constantFrom(0, 9, 10, 11, 100, 126, 127, 128, 169, 172, 192, 198),
      fc.constantFrom(0, 15, 16, 17, 18, 20, 31, 32, 63, 64, 127, 128, 168, 254),
      fc.nat(255),
      fc.nat(255),
    )
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      near.map((octets) => octets.join('.')),
      near.map((octets) => `::ffff:${octets.join('.')}`),
      near.map((octets) => `64:ff9b::${octets.join('.')}`),
      fc
        .tuple(fc.constantFrom('fbff', 'fc00', 'fdff', 'fe7f', 'fe80', 'febf', 'fec0', 'ff00'), fc.nat(0xffff))
        .map(([first, last]) => `${first}::${last.toString(16)}`),
    )
    fc.assert(
      fc.property(address, (text) => {
        const family = isIPv4(text) ? 'ipv4' : 'ipv6'
        const held = (list: BlockList) => list.check(text, family)
        expect(addressClass(text)).toBe(held(loopback) ? 'loopback' : held(internal) ? 'private' : 'public')
      }),
      { numRuns: 1000 },
    )
  })

  test('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (hostname) => void addressClass(hostname)))
  })
})

describe('which URLs OAuth may use', {
  tags: [
    'mcp-security/https',
    'mcp-practices/ssrf',
    'mcp-practices/ssrf-https',
    'mcp-practices/ssrf-private-addresses',
    'mcp-practices/sanitize-urls',
    'rfc9728/server-side-requests',
  ],
}, () => {
  const from = 'https://mcp.example.com/mcp'
  const local = 'http://localhost:3000/mcp'

  test.each([
    ['https://as.example.com/token', from],
    ['https://as.example.com:8443/token?tenant=1', from],
    ['http://localhost:9000/token', local],
    ['http://[::1]:9000/token', local],
    ['https://as.example.com/token', local],
    ['https://10.0.0.1/token', 'https://10.0.0.2/mcp'],
    ['https://as.corp.internal/token', 'https://mcp.corp.internal/mcp'],
  ])('%s, for the server %s', (url, server) => {
    expect(urlProblem(url, { from: server })).toBeUndefined()
  })

  test.each([
    ['as.example.com/token', 'not a URL'],
    ['', 'not a URL'],
    ['http://as.example.com/token', 'scheme is not https'],
    ['http://10.0.0.1/token', 'scheme is not https'],
    ['javascript:alert(1)', 'scheme is not https'],
    ['file:///etc/passwd', 'scheme is not https'],
    ['https://user@as.example.com/', 'user information in the URL'],
    ['https://:secret@as.example.com/', 'user information in the URL'],
    ['https://as.example.com/#', 'a fragment in the URL'],
    ['https://as.example.com/a\nb', 'control characters in the URL'],
    ['https://as.example.com/\u0000', 'control characters in the URL'],
    ['\thttps://as.example.com/', 'control characters in the URL'],
    ['http://localhost:9000/token', 'a loopback address, named by a public server'],
    ['https://127.0.0.1/token', 'a loopback address, named by a public server'],
    ['https://169.254.169.254/latest', 'a private address, named by a public server'],
    ['https://[::ffff:10.0.0.1]/', 'a private address, named by a public server'],
    ['https://metadata.google.internal/', 'a private address, named by a public server'],
  ])('not %j: %s', (url, problem) => {
    expect(urlProblem(url, { from })).toBe(problem)
  })

  test('a host may list a private address by name', () => {
    const policy = { from, allowPrivate: ['idp.internal', '10.0.0.1', 'fd00::1'] }
    expect(urlProblem('https://IDP.internal/token', policy)).toBeUndefined()
    expect(urlProblem('https://10.0.0.1:8443/token', policy)).toBeUndefined()
    expect(urlProblem('https://[fd00:0::1]/token', policy)).toBeUndefined()
    expect(urlProblem('https://other.internal/token', policy)).toBeDefined()
    expect(urlProblem('https://idp.internal.evil.internal/token', policy)).toBeDefined()
  })

  test('listing one does not allow cleartext to it', () => {
    expect(urlProblem('http://10.0.0.1/token', { from, allowPrivate: ['10.0.0.1'] })).toBe('scheme is not https')
  })

  test('a server that is no URL counts as public', () => {
    expect(urlProblem('https://10.0.0.1/token', { from: 'nonsense' })).toBeDefined()
  })

  test('cleartext never leaves the machine', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.constantFrom('localhost', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost.example'),
    )
    const rest = fc.constantFrom('', '/', '/token', ':8080/', '/?a=b', '@evil.example/', '#', '\\@evil.example')
    const scheme = fc.constantFrom('http', 'HTTP', 'ws', 'ftp', 'https')
    fc.assert(
      fc.property(scheme, host, rest, fc.constantFrom(from, local), (protocol, name, after, server) => {
        const url = `${protocol}://${name}${after}`
        if (urlProblem(url, { from: server, allowPrivate: [name] }) !== undefined) return
        const parsed = new URL(url)
        if (parsed.protocol === 'https:') return
        expect(parsed.protocol).toBe('http:')
        expect(parsed.hostname).toMatch(/^(127\.[\d.]+|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]+\]|localhost)$/)
      }),
    )
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (url, server) => void urlProblem(url, { from: server })),
    )
  })
})

import { beforeAll, describe, expect, it } from 'vitest'
import { blocks, type Ended, read, run, scriptedBrowser, withoutBrowser } from './support.js'

const demo = 'examples/demo/main.ts'

interface Line {
  readonly type: string
  readonly ok?: boolean
  readonly [member: string]: unknown
}

const parsed = ({ stdout }: Ended): readonly Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const checksOf = (lines: readonly Line[]): readonly unknown[] =>
  lines.filter(({ type }) => type === 'check').map(({ what }) => what)

/** A line of the readable output without what differs from run to run. */
const normalised = (line: string): string =>
  line
    .replace(/\d+\.\d+ s\b/g, 'T')
    .replace(/\d+ ms$/, 'T')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/[\da-f]{8}\.\.\./g, 'HASH')
    .replace(/ +/g, ' ')
    .trim()

describe('the demo', () => {
  let text: Ended
  let json: Ended
  let tookMs: number

  beforeAll(async () => {
    const began = performance.now()
    ;[text, json] = await Promise.all([run(demo), run(demo, ['--json'])])
    tookMs = performance.now() - began
  }, 30_000)

  it('does what it says, and the process ends by itself', () => {
    expect({ code: text.code, stderr: text.stderr }).toEqual({ code: 0, stderr: '' })
    expect(text.stdout).toMatch(/\nDone: \d+ checks passed in \d\.\d\d s\.\n$/)
    expect(text.stdout).not.toContain('FAILED')
    expect(tookMs).toBeLessThan(20_000)
  })

  it('reads well without colour: no escape, no tab, no trailing space', () => {
    expect(text.stdout.split('\n').filter((line) => /[\p{Cc}\t]| $/u.test(line))).toEqual([])
  })

  it('prints what the README shows of it', async () => {
    const [shown = ''] = blocks(await read('README.md'), 'text')
    const printed = text.stdout.split('\n').map(normalised)
    let at = 0
    for (const line of shown.split('\n').filter((one) => one !== '' && one !== '...')) {
      const found = printed.indexOf(normalised(line), at)
      expect(found, `the demo prints "${line}" after line ${at}`).toBeGreaterThanOrEqual(at)
      at = found + 1
    }
  })

  it('says the same to machines, one JSON object a line', () => {
    expect({ code: json.code, stderr: json.stderr }).toEqual({ code: 0, stderr: '' })
    const lines = parsed(json)
    expect(lines.filter(({ type, ok }) => type === 'check' && !ok)).toEqual([])
    expect(lines.at(-1)).toMatchObject({ type: 'summary', ok: true, checks: checksOf(lines).length })
    expect(lines.filter(({ type }) => type === 'phase')).toHaveLength(6)
    for (const what of checksOf(lines)) expect(text.stdout).toContain(`  ok  ${what}: `)
  })

  it('shows one refresh for five calls, and a refresh token that is refused after the sign-out', () => {
    const lines = parsed(json)
    const refreshes = lines.filter(({ type, step }) => type === 'exchange' && step === 'refresh')
    expect(refreshes).toMatchObject([{ by: 'connector', to: 'as', status: 200 }])
    const again = lines.filter(({ type, step }) => type === 'exchange' && step === 'refresh again')
    expect(again).toMatchObject([{ by: 'demo', to: 'as', status: 400 }])
    expect(lines).toContainEqual(expect.objectContaining({ type: 'check', received: 'invalid_grant' }))
    expect(lines).toContainEqual(expect.objectContaining({ type: 'diagnostic', code: 'access_token_not_revoked' }))
    expect(lines).toContainEqual(expect.objectContaining({ type: 'check', received: 'interaction_required' }))
  })

  it('shows a client of the other SDK, which finds the login there and causes no OAuth request', () => {
    const lines = parsed(json)
    const at = lines.findIndex(({ type, number }) => type === 'phase' && number === 4)
    const phase = lines.slice(
      at,
      lines.findIndex(({ type, number }) => type === 'phase' && number === 5),
    )
    expect(phase[0]).toMatchObject({ title: expect.stringContaining('@modelcontextprotocol/client 2.x') })
    const sent = phase.filter(({ type }) => type === 'exchange')
    expect(sent.map(({ by, to, authorization }) => [by, to, authorization])).toEqual(
      Array(sent.length).fill(['client', 'mcp', 'token']),
    )
    expect(sent.map(({ step }) => step)).toEqual(['initialize', 'initialized', 'stream', 'tools/call whoami'])
    expect(phase.filter(({ event }) => event === 'login_started')).toEqual([])
  })

  it('prints no JWT, and no query: queries carry codes and states', () => {
    for (const { stdout } of [text, json]) {
      expect(stdout).not.toMatch(/eyJ/)
      expect(stdout).not.toMatch(/[?&](code|state|code_challenge)=/)
    }
  })
})

describe('the command line of the demo', () => {
  it('has a help', async () => {
    const { code, stdout, stderr } = await run(demo, ['--help'])
    expect([code, stderr]).toEqual([0, ''])
    for (const option of [
      '--browser',
      '--headless',
      '--json',
      '--help',
      '--url <url>',
      '--tool <name>',
      '--arguments <json>',
    ]) {
      expect(stdout).toContain(`  ${option} `)
    }
  })

  it.each([
    [['--colour'], "demo: Unknown option '--colour'"],
    [['now'], "demo: Unexpected argument 'now'"],
    [['--json=yes'], "demo: Option '--json' does not take an argument"],
  ])('refuses %j, and says how it is used', async (args, complaint) => {
    const { code, stdout, stderr } = await run(demo, args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr.split('\n')[0]).toBe(complaint)
    expect(stderr).toContain('Usage: npx pnpm demo')
  })

  it('refuses what does not go together, and repeats nothing that may be secret', async () => {
    const url = ['--url', 'https://a.example?key=secret']
    const refused: readonly (readonly [readonly string[], string])[] = [
      [['--url', 'notes?key=secret'], "Option '--url' takes an http(s) URL without user information"],
      [['--url', 'ftp://a.example'], "Option '--url' takes an http(s) URL without user information"],
      [['--url', 'https://me:secret@a.example'], "Option '--url' takes an http(s) URL without user information"],
      [['--headless', '--browser'], "Option '--headless' does not go with '--browser'"],
      [['--headless', ...url], "Option '--headless' does not go with '--url'"],
      [['--tool', 'whoami'], "Option '--tool' is for a '--url'"],
      [[...url, '--arguments', '{}'], "Option '--arguments' is for a '--tool'"],
      [[...url, '--tool', 'x', '--arguments', '["secret"]'], "Option '--arguments' takes a JSON object"],
      [[...url, '--tool', 'x', '--arguments', 'secret'], "Option '--arguments' takes a JSON object"],
    ]
    const { stdout } = await run('test/docs/fixtures/demo-options.mjs', [JSON.stringify(refused.map(([args]) => args))])
    expect(JSON.parse(stdout)).toEqual(refused.map(([, complaint]) => ({ kind: 'not_understood', complaint })))
  })

  it('--headless signs in by a code, without any browser', async () => {
    const { code, stdout, stderr } = await run(demo, ['--headless', '--json'], withoutBrowser())
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = parsed({ code, stdout, stderr })
    const sent = lines.filter(({ type, by }) => type === 'exchange' && by === 'connector').map(({ step }) => step)
    expect(sent.slice(0, 5)).toEqual(['discover', 'discover', 'register', 'prepare', 'poll'])
    expect(lines.at(-1)).toMatchObject({ type: 'summary', ok: true })
  })

  it.skipIf(process.platform !== 'linux')(
    '--browser opens the default browser, and takes whoever logs in',
    async () => {
      await using browser = await scriptedBrowser()
      const ended = await run(demo, ['--browser', '--json'], browser.env)
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' })
      expect(parsed(ended)).toContainEqual(expect.objectContaining({ type: 'note', about: 'person' }))
    },
  )

  it.skipIf(process.platform !== 'linux')('a step that fails ends it with 1, and says why', async () => {
    const { code, stdout, stderr } = await run(demo, ['--browser'], withoutBrowser())
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(
      /\n {2}FAILED {2}present: user agent unsuitable .*Expected a browser that opens here, or a terminal where a person is/,
    )
    expect(stdout).toMatch(/\nNot done: 0 checks passed in \d\.\d\d s, then a step failed\.\n$/)
  })
})

describe('a check of the demo', () => {
  it('that fails prints what was expected and received, and is the last one', async () => {
    const { code, stdout, stderr } = await run('test/docs/fixtures/demo-that-fails.mjs')
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toContain(
      [
        '  FAILED  the client is connected to',
        '          expected  another 2.0.0',
        '          received  notes 1.0.0',
        '',
        'Not done: 4 checks passed in ',
      ].join('\n'),
    )
    expect(stdout).toMatch(/then a step failed\.\n$/)
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { directories, KEY } from '../node/store/support.js'
import { type Person, person, startAuthorizationServer, startMcpServer } from '../servers/index.js'
import { ROOT, run, scriptedBrowser, withoutBrowser } from './support.js'

describe.skipIf(process.platform !== 'linux')('examples/agent.ts', () => {
  const home = directories()
  let HOME: string
  beforeEach(async () => {
    HOME = await home()
  })
  const withoutKeychain = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
    const { DBUS_SESSION_BUS_ADDRESS: _, XDG_RUNTIME_DIR: __, COUNTERSIGN_STORE_KEY: ___, ...rest } = env
    return { ...rest, HOME }
  }
  const withKey = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
    ...withoutKeychain(env),
    COUNTERSIGN_STORE_KEY: Buffer.from(KEY).toString('base64'),
  })

  it('signs in through the default browser and lists the tools', async () => {
    await using authorizationServer = await startAuthorizationServer()
    await using mcp = await startMcpServer({ authorizationServer })
    await using browser = await scriptedBrowser()
    const { code, stdout, stderr } = await run('examples/agent.ts', [mcp.url], withKey(browser.env))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('whoami: Says who the token says you are')

    // The login stays: the second run asks nobody, not even the authorization server.
    authorizationServer.clearRequests()
    const again = await run('examples/agent.ts', [mcp.url], withKey(withoutBrowser()))
    expect(again).toEqual({ code: 0, stderr: '', stdout })
    expect(authorizationServer.requests).toEqual([])
  })

  it('says what to do on a machine without a keychain, before a browser opens', async () => {
    await using authorizationServer = await startAuthorizationServer()
    await using mcp = await startMcpServer({ authorizationServer })
    await using browser = await scriptedBrowser()
    const { code, stderr } = await run('examples/agent.ts', [mcp.url], withoutKeychain(browser.env))
    expect(code).toBe(1)
    expect(stderr).toContain('CountersignError: choose: store unavailable.')
    expect(stderr).toMatch(/Set COUNTERSIGN_STORE_KEY .* pass store: memoryStore\(\)/)
    expect(authorizationServer.requests).toEqual([])
  })
})

describe('examples/headless.ts', () => {
  const home = directories()

  /** Runs it beside a person who reads what it prints, and enters the code. */
  const withReader = async (url: string, env: NodeJS.ProcessEnv, who: Person) => {
    const agent = spawn(process.execPath, ['--import', 'tsx', 'examples/headless.ts', url], { cwd: ROOT, env })
    let [stdout, stderr] = ['', '']
    let entered: Promise<unknown> | undefined
    agent.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    agent.stderr.on('data', (chunk) => {
      stderr += chunk
      const [, code = '', page = ''] = /the code (\S+) within .*\n(http\S+)\n/.exec(stderr) ?? []
      if (page !== '') entered ??= who.enterCode(page, code)
    })
    const [code] = await once(agent, 'exit')
    await entered
    return { code, stdout, stderr }
  }

  it('signs in by a code; a job finds the login, and before that it says who has to sign in', {
    timeout: 60_000,
  }, async () => {
    const { DBUS_SESSION_BUS_ADDRESS: _, XDG_RUNTIME_DIR: __, ...rest } = withoutBrowser()
    const env = { ...rest, HOME: await home(), COUNTERSIGN_STORE_KEY: Buffer.from(KEY).toString('base64') }
    await using authorizationServer = await startAuthorizationServer({ devices: true })
    await using mcp = await startMcpServer({ authorizationServer, challengeScope: 'notes:read' })

    const early = await run('examples/headless.ts', [mcp.url, '--job'], env)
    const need = { url: mcp.url, reason: 'no_login', scope: 'notes:read' }
    expect(early).toEqual({ code: 0, stdout: `somebody has to sign in: ${JSON.stringify(need)}\n`, stderr: '' })

    const { code, stdout, stderr } = await withReader(mcp.url, env, person())
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('whoami: Says who the token says') })
    expect(stderr).toMatch(/^To sign in to 127\.0\.0\.1:\d+, open this page .*\n.*\nSigned in\.\n$/)

    authorizationServer.clearRequests()
    expect(await run('examples/headless.ts', [mcp.url, '--job'], env)).toEqual({ code: 0, stdout, stderr: '' })
    expect(authorizationServer.requests).toEqual([])
  })
})

describe('examples that are their own servers', () => {
  it.each([
    [
      'examples/dpop.ts',
      'alice (notes:read notes:write), with a DPoP token\nstolen, as Bearer: 401\nstolen, as DPoP: 401\n',
    ],
    ['examples/job.ts', 'nightly-job (notes:read)\n'],
    [
      'examples/workload.ts',
      'presented: signed-by-the-platform-on-monday\nanswered: 200\npresented: signed-by-the-platform-on-tuesday\n',
    ],
    ['examples/enterprise.ts', 'alice may notes:read notes:write, her sub-agent notes:read\n'],
  ])('%s does what it says', async (file, said) => {
    expect(await run(file)).toEqual({ code: 0, stdout: said, stderr: '' })
  })
})

describe('examples/web-backend.ts', () => {
  let backend: ReturnType<typeof spawn>
  let origin: string
  let other: string

  beforeAll(async () => {
    backend = spawn(process.execPath, ['--import', 'tsx', 'examples/web-backend.ts'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = await once(createInterface({ input: backend.stdout! }), 'line')
    ;[origin = '', other = ''] = [...String(said).matchAll(/http:\/\/127\.0\.0\.1:\d+/g)].map(([url]) => url)
  }, 20_000)

  afterAll(async () => {
    backend.kill()
    await once(backend, 'exit')
  })

  /** A browser session at the backend. */
  const enter = async (user: string): Promise<string> => {
    const response = await fetch(`${origin}/enter?user=${user}`, { redirect: 'manual' })
    return /session=[\w-]+/.exec(response.headers.get('set-cookie') ?? '')?.[0] ?? ''
  }
  const open = (url: string, cookie: string): Promise<Response> =>
    fetch(url, { redirect: 'manual', headers: { cookie } })
  const location = (response: Response): string | null => response.headers.get('location')

  /** The person at the authorization server, up to the callback. */
  const callbackOf = async (who: Person, cookie: string): Promise<string> =>
    who.authorizationResponse(location(await open(`${origin}/connect`, cookie)) ?? '')

  it('begins a login at one instance and completes it at the other', async () => {
    expect(origin).not.toBe(other)
    const cookie = await enter('alice')
    expect(location(await open(`${origin}/notes`, cookie))).toBe('/connect')

    const callback = await callbackOf(person({ login: 'alice' }), cookie)
    expect(callback.startsWith(`${other}/callback?`)).toBe(true)
    expect(location(await open(callback, cookie))).toBe('/notes')

    const answers = await Promise.all([open(`${origin}/notes`, cookie), open(`${other}/notes`, cookie)])
    for (const answer of answers) expect(await answer.text()).toBe('alice (notes:read notes:write)')
  })

  it('refuses a callback that another session brings, and then takes it from the right one', async () => {
    const [bob, mallory] = await Promise.all([enter('bob'), enter('mallory')])
    const callback = await callbackOf(person({ login: 'bob' }), bob)

    const stolen = await open(callback, mallory)
    expect([stolen.status, await stolen.text()]).toEqual([400, expect.stringMatching(/^authorize: state mismatch/)])
    expect(location(await open(callback, bob))).toBe('/notes')
  })
})

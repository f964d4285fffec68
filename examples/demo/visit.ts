import { type Connection, CountersignError, createConnector, memoryStore } from '@countersign/node'
import { CheckFailed, type Checks, createChecks } from './checks.js'
import { connectClient2, type Session } from './client.js'
import type { VisitOptions } from './options.js'
import { patiently } from './patiently.js'
import { createPrintable } from './printable.js'
import { createStopwatch, type Report, type Side } from './report.js'
import { createTraffic, type Traffic, withoutQueries } from './traffic.js'

/** What the phases of a visit share. */
interface Visit {
  readonly connection: Connection
  readonly traffic: Traffic
  readonly checks: Checks
  readonly tool: VisitOptions['tool']
  phase(title: string): void
  say(about: string, text: string): void
  notOffered(what: string, why: string): void
  /** The current access token, which is never printed. */
  token(options?: { readonly refresh: boolean }): ReturnType<Connection['token']>
}

/**
 * Visits an MCP server that this demo knows nothing about: signs in with the default browser, lists the tools, refreshes,
 * signs out. What the server does not have is said, and is no failure.
 *
 * @returns whether every step did what it says
 */
export async function visitServer({ url, tool }: VisitOptions, report: Report): Promise<boolean> {
  const elapsedMs = createStopwatch()
  const printable = createPrintable(url)
  const tell: Report = (line) => report(printable.of(line))
  const checks = createChecks(tell)
  const traffic = createTraffic({ sideOf: sideFor(url) }, tell, elapsedMs)

  // The default user agent: the person's own browser.
  await using connector = createConnector({
    appId: 'com.example.demo',
    clientName: 'Countersign demo',
    // It signs out at the end, and leaves nothing on this machine.
    store: memoryStore(),
    fetch: traffic.fetch,
    log: traffic.log,
  })
  const connection = connector.connect(url)

  let phases = 0
  const visit: Visit = {
    connection,
    traffic,
    checks,
    tool,
    phase: (title) => tell({ type: 'phase', number: ++phases, title }),
    say: (about, text) => tell({ type: 'note', atMs: elapsedMs(), about, text }),
    notOffered: (what, why) => tell({ type: 'not_offered', what, why }),
    token: async (options) => {
      const token = await connection.token(options)
      printable.hide(token.accessToken)
      return token
    },
  }
  const { origin, pathname } = new URL(url)
  tell({ type: 'part', name: 'mcp', where: origin + pathname, what: 'the MCP server' })

  let ok = true
  let session: Session | undefined
  try {
    session = await signIn(visit)
    await useTools(visit, session)
    await refresh(visit, session)
    await signOut(visit)
  } catch (error) {
    ok = false
    // A check that failed has said so.
    if (!(error instanceof CheckFailed)) tell({ type: 'error', ...described(error) })
    // Nothing is left behind at a server that could not be visited to the end.
    if (isSignedIn(visit)) await connection.signOut()
  }
  await session?.close()
  tell({ type: 'summary', ok, checks: checks.passed, durationMs: elapsedMs() })
  return ok
}

async function signIn(visit: Visit): Promise<Session> {
  const { connection, say, checks } = visit
  visit.phase('Sign-in: a client connects, and your browser opens where the server asks for a login')
  const session = await patiently(connection, say, () => connectClient2(connection, true))
  say('server', session.server)
  // Some servers let everybody connect, and ask later.
  if (!isSignedIn(visit) && !(await loginOffered(visit))) return session

  const { expiresAt, scope = 'not said' } = await visit.token()
  const life = expiresAt === undefined ? 'an unknown time' : `${Math.round((expiresAt - Date.now()) / 1000)} s`
  say('granted', `scope: ${scope}; the access token is good for ${life}`)
  checks.equal('the connection is', connection.getSnapshot().status, 'signed_in')
  return session
}

/** Signs in at a server that did not ask for it, if it has anywhere to sign in at. */
async function loginOffered({ connection, notOffered }: Visit): Promise<boolean> {
  try {
    await connection.authorize()
    return true
  } catch (error) {
    if (!CountersignError.is(error) || !/^resource_metadata_(not_found|invalid)$/.test(error.code)) throw error
    notOffered('sign-in', 'no OAuth at all: the server lets everybody in, and has no protected resource metadata')
    return false
  }
}

async function useTools({ connection, phase, say, notOffered, tool }: Visit, session: Session): Promise<void> {
  phase(
    tool === undefined ? 'Tools: listed, and none is called without --tool' : `Tools: listed, and ${tool.name} called`,
  )
  const tools = await patiently(connection, say, () => session.listTools())
  if (tools.length > 0) say('tools', `${tools.length}: ${tools.join(', ')}`)
  else notOffered('tools', 'the server lists none')
  if (tool === undefined) return
  say(tool.name, await patiently(connection, say, () => session.callTool(tool.name, tool.args)))
}

async function refresh(visit: Visit, session: Session): Promise<void> {
  const { traffic, checks, say, notOffered } = visit
  visit.phase('Refresh: another access token, and nobody is asked')
  if (!isSignedIn(visit)) return notOffered('refresh', 'nobody is signed in')
  const before = await visit.token()
  const count = traffic.exchanges.length
  let after: typeof before
  try {
    after = await visit.token({ refresh: true })
  } catch (error) {
    const asked = traffic.since(count).some(({ step }) => step === 'refresh')
    if (asked || !CountersignError.is(error) || error.code !== 'interaction_required') throw error
    return notOffered('refresh', 'the authorization server issued no refresh token')
  }
  say('token', after.accessToken === before.accessToken ? 'the same access token again' : 'another access token')
  const tools = await session.listTools()
  say('tools', `${tools.length}, listed with the new token`)
  checks.equal('refresh requests', traffic.since(count).filter(({ step }) => step === 'refresh').length, 1)
  const refused = traffic.since(count).filter(({ status = 0 }) => status === 401 || status === 403)
  checks.equal('requests refused with the new token', refused.length, 0)
}

async function signOut(visit: Visit): Promise<void> {
  const { connection, traffic, checks, notOffered } = visit
  visit.phase('Sign-out: the tokens are forgotten here, and revoked there')
  if (!isSignedIn(visit)) return notOffered('sign-out', 'nobody is signed in')
  const count = traffic.exchanges.length
  const tolerated = traffic.deviations.length
  await connection.signOut()
  const asked = traffic.since(count).filter(({ step }) => step === 'revoke')
  const refusals = traffic.deviations.slice(tolerated).map(({ code }) => code)
  if (asked.length === 0) notOffered('revocation', 'the authorization server has no revocation endpoint')
  else if (asked.length === refusals.length && !refusals.includes('revocation_failed')) {
    notOffered('revocation', 'the access token lives until it expires')
  } else {
    checks.equal('revocations that failed', refusals.filter((code) => code === 'revocation_failed').length, 0)
  }
  checks.equal('the connection is', connection.getSnapshot().status, 'signed_out')
  const left = await connection.token().then(
    () => 'a token',
    (error: unknown) => (CountersignError.is(error) ? error.code : 'another error'),
  )
  checks.equal('what asks for a token gets', left, 'interaction_required')
}

/** A login was made and has not been ended: also where its access token has run out and nothing can renew it. */
const isSignedIn = ({ connection, traffic }: Pick<Visit, 'connection' | 'traffic'>): boolean =>
  connection.getSnapshot().status !== 'signed_out' && traffic.events.some(({ type }) => type === 'login_completed')

/** Where a URL of the connector leads: whatever is not the MCP server, and not what it says about itself. */
const sideFor = (mcpUrl: string): ((url: string) => Side) => {
  const { origin, pathname } = new URL(mcpUrl)
  return (url) => {
    const there = new URL(url)
    const own = there.pathname === pathname || there.pathname.startsWith('/.well-known/oauth-protected-resource')
    return there.origin === origin && own ? 'mcp' : 'as'
  }
}

/** What a person can use: no stack, and of a failed request why it failed. */
function described(error: unknown): { readonly code?: string; readonly message: string } {
  if (CountersignError.is(error)) return { code: error.code, message: error.message }
  const texts: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) texts.push(at.message)
  return { message: withoutQueries(texts.join(': ') || String(error)) }
}

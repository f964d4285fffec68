import { CountersignError, createConnector } from '@countersign/node'
import { CheckFailed, createChecks } from './checks.js'
import { connectClient, connectClient2, type Session } from './client.js'
import type { DemoOptions } from './options.js'
import { callTool } from './phases/call-tool.js'
import { leaks } from './phases/leaks.js'
import { otherClient } from './phases/other-client.js'
import { refresh } from './phases/refresh.js'
import { signIn } from './phases/sign-in.js'
import { signOut } from './phases/sign-out.js'
import { createStopwatch, type Line, type Part, type Report } from './report.js'
import type { Scene } from './scene.js'
import type { Stage } from './stage.js'
import { createTraffic } from './traffic.js'
import { browserVisitor, headlessVisitor, scriptedVisitor } from './visitor.js'
import { watchedStore } from './watched-store.js'

const appId = 'com.example.demo'
const host: Omit<Part, 'type'> = {
  name: 'host',
  where: 'this process',
  what: "the MCP SDK's own Client, 1.x and then 2.x, with fetch: connection.fetch",
}

/**
 * Plays the whole story and reports every step.
 *
 * @returns whether every step did what it says
 */
export async function runDemo(options: DemoOptions, stage: Stage, report: Report): Promise<boolean> {
  const elapsedMs = createStopwatch()
  const printed: Line[] = []
  const tell: Report = (line) => {
    printed.push(line)
    report(line)
  }
  const checks = createChecks(tell)
  const store = watchedStore(appId)
  const traffic = createTraffic(stage, tell, elapsedMs)
  const say: Scene['say'] = (about, text) => tell({ type: 'note', atMs: elapsedMs(), about, text })
  const speak = (text: string): void => say('person', text)
  const visitor = options.browser
    ? browserVisitor(speak)
    : options.headless
      ? headlessVisitor(speak)
      : scriptedVisitor(speak, stage.loginRequests)

  await using connector = createConnector({
    appId,
    clientName: 'Countersign demo',
    store: store.store,
    fetch: traffic.fetch,
    log: traffic.log,
    ...(visitor.userAgent !== undefined && { userAgent: visitor.userAgent }),
  })
  const connection = connector.connect(stage.mcpUrl)

  const sessions: Session[] = []
  const keep = (session: Session): Session => {
    sessions.push(session)
    return session
  }
  let phases = 0
  const scene: Scene = {
    stage,
    connection,
    visitor,
    store,
    traffic,
    checks,
    report: tell,
    connect: async () => keep(await connectClient(connection)),
    connect2: async () => keep(await connectClient2(connection)),
    phase: (title) => tell({ type: 'phase', number: ++phases, title }),
    say,
  }

  for (const part of [...stage.parts, host]) tell({ type: 'part', ...part })
  const ok = await play(scene, printed)
  await Promise.all(sessions.map((session) => session.close()))
  tell({ type: 'summary', ok, checks: checks.passed, durationMs: elapsedMs() })
  return ok
}

async function play(scene: Scene, printed: readonly Line[]): Promise<boolean> {
  try {
    const signedIn = await signIn(scene)
    await callTool(scene, signedIn)
    await refresh(scene, signedIn)
    await otherClient(scene, signedIn)
    await signOut(scene, signedIn)
    await leaks(scene, printed)
    return true
  } catch (error) {
    // A check that failed has said so.
    if (!(error instanceof CheckFailed)) scene.report({ type: 'error', ...described(error) })
    return false
  }
}

function described(error: unknown): { readonly code?: string; readonly message: string } {
  if (CountersignError.is(error)) return { code: error.code, message: error.message }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

import { deviceCode, loopback, type UserAgent } from '@countersign/node'
import { person } from '@countersign/test/servers'

/** Whoever logs in and consents. */
export interface Visitor {
  /** Who it must turn out to be; undefined where only they know. */
  readonly name: string | undefined
  /** How the connector reaches them; undefined for its default, which opens a browser. */
  readonly userAgent: UserAgent | undefined
  /** Says what they have to do, where it is not a script. */
  announce(): void
  /** Until they have seen the page that they ended on. */
  arrived(): Promise<void>
  /** What the connector sends until it has tokens; of several polls the first. */
  readonly steps: readonly string[]
  /** The authorization codes that passed through their hands. */
  codes(): readonly string[]
}

const byRedirect = ['discover', 'discover', 'register', 'exchange']

type Say = (text: string) => void

/**
 * A script at the real login and consent forms.
 *
 * @param requests - how many requests a login has taken so far
 */
export function scriptedVisitor(say: Say, requests: () => number): Visitor {
  const alice = person({ login: 'alice' })
  const codes: string[] = []
  let visit: Promise<void> | undefined
  const walk = async (url: string): Promise<void> => {
    say(`${alice.login}, a script, opens the login page, logs in and approves`)
    const { status, body, url: final } = await alice.open(url)
    const code = new URL(final).searchParams.get('code')
    if (code !== null) codes.push(code)
    const title = /<title>(.*?)<\/title>/.exec(body)?.[1] ?? ''
    say(`after ${requests()} requests, ${alice.login} sees "${title}" (HTTP ${status})`)
  }
  return {
    name: alice.login,
    steps: byRedirect,
    announce: () => {},
    userAgent: loopback({
      open: (url) => {
        visit = walk(url)
        return visit
      },
    }),
    arrived: async () => visit,
    codes: () => codes,
  }
}

/** A script that has read the code off this terminal, and enters it at the real page, as on a phone. */
export function headlessVisitor(say: Say): Visitor {
  const alice = person({ login: 'alice' })
  let visit: Promise<void> | undefined
  const enter = async (page: string, code: string): Promise<void> => {
    say(`${alice.login}, a script, opens ${page}, enters ${code}, logs in and approves`)
    const { status, body } = await alice.enterCode(page, code)
    const title = /<title>(.*?)<\/title>/.exec(body)?.[1] ?? ''
    say(`${alice.login} sees "${title}" (HTTP ${status}); five seconds pass between two polls`)
  }
  return {
    name: alice.login,
    steps: ['discover', 'discover', 'register', 'prepare', 'poll'],
    announce: () => {},
    userAgent: deviceCode({
      show: ({ verificationUri, userCode }) => {
        visit = enter(verificationUri, userCode)
        return visit
      },
    }),
    arrived: async () => visit,
    codes: () => [],
  }
}

/** A person at this machine. */
export function browserVisitor(say: Say): Visitor {
  return {
    name: undefined,
    steps: byRedirect,
    announce: () => say('your browser opens the login page: any name and any password will do'),
    userAgent: undefined,
    arrived: async () => {},
    codes: () => [],
  }
}

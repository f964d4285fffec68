import { CountersignError, deviceGrant, type Page, type Presentation, type UserAgent } from '@countersign/core'
import { browsableUrl } from '../browsable-url.js'
import { hostFailed, otherPage } from './failures.js'
import { print, qrCode } from './terminal.js'

/** A code that the person enters at a page, on whatever device they have at hand. */
export interface UserCode {
  /** The host of the MCP server, with its port if it has one. */
  readonly server: string
  /** To be shown always, so that the person can compare it (RFC 8628 section 3.3.1). */
  readonly userCode: string
  /** https, or http on loopback. */
  readonly verificationUri: string
  /** The same with the code in it, for a QR code or a link. */
  readonly verificationUriComplete?: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** Aborts when the code is of no use any more: entered, expired, or given up. */
  readonly signal: AbortSignal
}

/** How the code is shown. */
export interface DeviceCodeOptions {
  /**
   * Shows the code. Not waited for; if it throws or rejects, the login ends with `browser_not_opened`. Default: prints the page,
   * the code, and in a terminal a QR code, on standard error.
   */
  readonly show?: (code: UserCode) => unknown
}

/**
 * The device authorization grant (RFC 8628): the person enters a code at a page that is open anywhere, and this process gets the
 * tokens. Where the server has no such grant, it cannot serve it: see `firstThatWorks`.
 *
 * @throws CountersignError, as the outcome of a login: `login_timeout` (the code expired), `access_denied`, `browser_not_opened`
 * (`show` failed), `user_agent_unsuitable` (no such grant)
 * @example
 * ```ts
 * createConnector({ appId, userAgent: deviceCode({ show: ({ verificationUri, userCode }) => send(verificationUri, userCode) }) })
 * ```
 */
export function deviceCode(options: DeviceCodeOptions = {}): UserAgent {
  return { onDemand: true, begin: (request) => begin(options, request) }
}

function begin(
  { show = printCode }: DeviceCodeOptions,
  { url, signal }: Parameters<UserAgent['begin']>[0],
): Presentation {
  const ended = new AbortController()
  let printed = false
  return {
    way: async ({ device }) => (device ? { kind: 'device', grant: deviceGrant() } : undefined),
    async present(page: Page) {
      if (page.kind !== 'device') throw otherPage(url, 'a device authorization', page.kind)
      const { userCode, verificationUri, verificationUriComplete: complete, expiresAt } = page
      const code: UserCode = {
        server: new URL(url).host,
        userCode,
        verificationUri: browsableUrl(verificationUri),
        ...(complete !== undefined && { verificationUriComplete: browsableUrl(complete) }),
        expiresAt,
        signal: AbortSignal.any([signal, ended.signal]),
      }
      try {
        await show(code)
      } catch (cause) {
        throw CountersignError.is(cause) ? cause : hostFailed(verificationUri, 'deviceCode({ show })', cause)
      }
      printed = show === printCode
      return 'shown'
    },
    async end(outcome) {
      ended.abort()
      if (printed && outcome.ok) print('Signed in.\n')
    },
  }
}

async function printCode({
  server,
  userCode,
  verificationUri,
  verificationUriComplete,
  expiresAt,
}: UserCode): Promise<void> {
  const minutes = Math.max(1, Math.round((expiresAt - Date.now()) / 60_000))
  const link = verificationUriComplete ?? verificationUri
  const qr = await qrCode(link)
  print(
    `To sign in to ${server}, open this page on any device and enter the code ${userCode} within ${minutes} min:\n` +
      `${verificationUri}\n${qr === undefined ? '' : `${qr}\n`}`,
  )
}

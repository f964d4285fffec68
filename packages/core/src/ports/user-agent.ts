import type { CountersignError } from '../errors/error.js'

/** How a person is reached. */
export interface UserAgent {
  /** Whether a bare `fetch` may open a login by itself (`interaction: 'on-demand'`): true for a package's own agent. */
  readonly onDemand: boolean
  /**
   * Called synchronously inside `authorize()`, so that a popup opens within the click.
   *
   * @param request.signal - aborts when the login is given up; `end` is still called
   */
  begin(request: {
    readonly url: string
    readonly account: string | undefined
    readonly signal: AbortSignal
  }): Presentation
}

/** One login's hold on the person. */
export interface Presentation {
  /** How the answer will come, chosen once discovery is known. `undefined`: this agent cannot serve that server. */
  way(server: ServerWays): Promise<Way | undefined>
  /**
   * Shows the page.
   *
   * @returns the authorization response's parameters, or `'parked'` when the page goes away and another will bring them; of a code
   * `'shown'`, and it is polled for meanwhile
   */
  present(page: Page): Promise<URLSearchParams | 'parked' | 'shown'>
  /** Always called, once: shows the outcome, closes listeners and popups. */
  end(outcome: { readonly ok: true } | { readonly ok: false; readonly error: CountersignError }): Promise<void>
}

/** What the authorization server offers, and what is fixed already. */
export interface ServerWays {
  /** Whether it has an authorization endpoint. */
  readonly redirect: boolean
  /** Whether it has a device authorization endpoint (RFC 8628). */
  readonly device: boolean
  /** `compatibility.redirectHost`. */
  readonly redirectHost?: string
  /** `compatibility.redirectPort`. */
  readonly redirectPort?: number
  /** Redirect URIs that a stored registration with this server already has: using one of them saves a registration. */
  readonly registeredRedirectUris?: readonly string[]
  /** Take over a login whose page is already open. */
  readonly resume?: { readonly redirectUri: string; readonly state: string }
}

/** What the person is shown. */
export type Page =
  | {
      readonly kind: 'redirect'
      readonly authorizationUrl: string
      readonly state: string
      readonly resumed: boolean
    }
  | {
      readonly kind: 'device'
      readonly userCode: string
      readonly verificationUri: string
      readonly verificationUriComplete?: string
      /** Milliseconds since the epoch. */
      readonly expiresAt: number
    }

/** How the answer comes. `alternatives` are registered together with `redirectUri`, so that the next login may use any of them. */
export type Way =
  | { readonly kind: 'redirect'; readonly redirectUri: string; readonly alternatives?: readonly string[] }
  | { readonly kind: 'device'; readonly grant: DeviceGrant }

/** The device authorization grant, brought in by a factory so that a host which does not name it does not bundle it. */
export interface DeviceGrant {
  readonly kind: 'device'
}

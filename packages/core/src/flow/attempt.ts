import type { ErrorRecord } from '../errors/error.js'
import type { Client } from '../messages/client-information.js'
import type { Tokens } from '../messages/token-response.js'
import type { PendingDevice } from '../steps/authorize-device.js'
import type { PendingRedirect } from '../steps/prepare.js'
import type { Target } from '../steps/target.js'

/** Why a sign-in is made and for whom. `scope` is what it must cover; for a step-up it is already the union. */
export interface Request {
  readonly url: string
  readonly account?: string
  readonly by: 'person' | 'credentials'
  readonly scope?: string
  /** What the server's last challenge said: where its metadata is, the scope it asks for, and whether it takes bound tokens. */
  readonly challenge?: {
    readonly resource_metadata: readonly string[]
    readonly scope?: string
    readonly dpop?: 'required' | 'offered'
  }
  /** The host's own JSON text, handed back when the login is completed. */
  readonly app_state?: string
  readonly registered_again?: true
}

/** What a sign-in hands over. `client` is absent where an assertion alone is the credential. */
export interface Granted {
  readonly request: Request
  readonly target: Target
  readonly client?: Client
  readonly tokens: Tokens
}

interface Base {
  readonly request: Request
}
interface Targeted extends Base {
  readonly target: Target
}
interface Known extends Targeted {
  readonly client: Client
}

/** One sign-in, from the challenge to the tokens. Plain JSON in every state, so that any process can go on with it. */
export type Attempt =
  | ({ readonly phase: 'discovering' } & Base)
  | ({ readonly phase: 'registering' } & Targeted)
  | ({ readonly phase: 'acquiring'; readonly client?: Client } & Targeted)
  | ({ readonly phase: 'preparing' } & Known)
  | ({ readonly phase: 'authorizing'; readonly pending: PendingRedirect } & Known)
  | ({ readonly phase: 'exchanging'; readonly pending: PendingRedirect; readonly code: string } & Known)
  | ({ readonly phase: 'polling'; readonly pending: PendingDevice } & Known)
  | { readonly phase: 'granted'; readonly granted: Granted }
  | ({ readonly phase: 'failed'; readonly error: ErrorRecord } & Base)

export type Phase = Attempt['phase']
export type AttemptIn<P extends Phase> = Extract<Attempt, { readonly phase: P }>

export type AttemptEvent =
  | { readonly type: 'target_discovered'; readonly target: Target }
  | { readonly type: 'client_ready'; readonly client: Client }
  | { readonly type: 'client_not_needed' }
  | { readonly type: 'request_prepared'; readonly pending: PendingRedirect | PendingDevice }
  | { readonly type: 'code_received'; readonly state: string; readonly code: string }
  | { readonly type: 'tokens_issued'; readonly tokens: Tokens }
  /** A dynamic client is gone. Once the person was asked in another process or page, the handler answers step_failed instead. */
  | { readonly type: 'client_forgotten' }
  | { readonly type: 'step_failed'; readonly error: ErrorRecord }

const forgottenTwice: ErrorRecord = {
  code: 'client_forgotten',
  step: 'register',
  message: 'the server forgot a client that it had just registered',
}

/** Once in an attempt: a server that forgets what it has just registered ends it. */
const registerAgain = ({ request, target }: Targeted): Attempt =>
  request.registered_again
    ? { phase: 'failed', request, error: forgottenTwice }
    : { phase: 'registering', request: { ...request, registered_again: true }, target }

/** The next state. Total: an event that the state does not accept returns the very same object. */
export function attempt(s: Attempt, e: AttemptEvent): Attempt {
  if (s.phase === 'granted' || s.phase === 'failed') return s
  if (e.type === 'step_failed') return { phase: 'failed', request: s.request, error: e.error }
  const { request } = s
  switch (s.phase) {
    case 'discovering':
      return e.type === 'target_discovered' ? { phase: 'registering', request, target: e.target } : s
    case 'registering': {
      const { target } = s
      if (e.type === 'client_ready') {
        return { phase: request.by === 'person' ? 'preparing' : 'acquiring', request, target, client: e.client }
      }
      return e.type === 'client_not_needed' && request.by === 'credentials'
        ? { phase: 'acquiring', request, target }
        : s
    }
    case 'preparing': {
      if (e.type === 'client_forgotten') return registerAgain(s)
      if (e.type !== 'request_prepared') return s
      const { target, client } = s
      return e.pending.kind === 'redirect'
        ? { phase: 'authorizing', request, target, client, pending: e.pending }
        : { phase: 'polling', request, target, client, pending: e.pending }
    }
    case 'authorizing':
      return e.type === 'code_received' && e.state === s.pending.state ? { ...s, phase: 'exchanging', code: e.code } : s
    case 'acquiring':
    case 'exchanging':
    case 'polling': {
      if (e.type === 'client_forgotten') return registerAgain(s)
      if (e.type !== 'tokens_issued') return s
      const { target, client } = s
      return { phase: 'granted', granted: { request, target, ...(client && { client }), tokens: e.tokens } }
    }
  }
}

/** The command of each state that has one: what runs next is a function of the state alone. */
export const attemptCommands = {
  discovering: 'discover',
  registering: 'register',
  acquiring: 'acquire',
  preparing: 'prepare',
  authorizing: 'present',
  exchanging: 'exchange',
  polling: 'poll',
  granted: undefined,
  failed: undefined,
} as const

/** Only these wait for a person, so only these are stored; a code is single use and never stored. */
export const storable = (s: Attempt): s is AttemptIn<'authorizing' | 'polling'> =>
  s.phase === 'authorizing' || s.phase === 'polling'

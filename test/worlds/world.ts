/** How a token server treats a refresh token that comes again. */
export type ServerKind =
  /** It ends the login. */
  | 'strict'
  /** It says no. */
  | 'plain'
  /** Within the grace period it issues anew, each time. */
  | 'grace-all'
  /** Within the grace period it issues anew, and the one it issued before is dead. */
  | 'grace-last'
  /** Once it issues anew. */
  | 'grace-once'
  /** It does not rotate. */
  | 'fixed'

/** Where a process is stopped, by the step of the refresh transaction. */
export type StopAt = 'before mark' | 'before send' | 'on answer' | 'before store'

/** Seconds and probabilities. What is absent does not happen. */
export interface World {
  readonly name: string
  /** Processes over one store. */
  readonly n: number
  /** Whether they can see each other live. */
  readonly seen: boolean
  readonly server: ServerKind
  /** How long a spent token is forgiven; 30. */
  readonly grace?: number
  readonly stopAt?: StopAt
  /** Chance of a stop there; 0.2. */
  readonly stopChance?: number
  /** How long; 40 to 240. */
  readonly stopFor?: number
  /** The machine sleeps: the monotonic clock stands still. */
  readonly asleep?: true
  /** Chance that a process is killed whenever it hears from the store or the server. */
  readonly crash?: number
  /** Chance that an answer is lost, and of these the share that shows as a reset connection; 0.5. */
  readonly lose?: number
  readonly broken?: number
  /** Chance that the server needs 31 to 70 s. */
  readonly slow?: number
  /** Chance of a 503 before, and of a 504 after the commit. */
  readonly busy?: number
  readonly edge?: number
  /** Chance that the store refuses a process's writes for 200 s once its refresh is answered. */
  readonly noWrite?: number
  /** Chance that a comparison and its write are 40 to 240 s apart. */
  readonly torn?: number
  /** Everybody looks gone. */
  readonly blind?: true
  /** A process is seen from when its own name was asked for. */
  readonly lockLate?: true
  /** The first two processes are two connectors of one. */
  readonly twins?: true
  readonly signOut?: true
  readonly logins?: number
  /** The server keeps one login a user. */
  readonly oneGrant?: true
  /** A revocation ends every login of the user. */
  readonly revokeAll?: true
  /** A login returns the refresh token that there is. */
  readonly sameToken?: true
  /** The tokens come without expires_in. */
  readonly noExpiry?: true
  /** Requests a process makes; 3. And the longest pause between two; 250. */
  readonly requests?: number
  readonly gap?: number
  /** A process lives so long and is followed by another. */
  readonly lives?: number
  /** The record starts under the lease of a holder that is gone. */
  readonly orphan?: true
  /** Rounds of the short share, where what the world is for is rare. */
  readonly few?: number
}

/** What a number of rounds came to. */
export interface Figures {
  refreshes: number
  /** A refresh token was sent that had been spent. */
  doubleSpends: number
  /** At the end what is stored is worth nothing. */
  lost: number
  /** ... and no answer was lost, no holder was killed or stopped unseen, no store refused: nothing excuses it. */
  unexplained: number
  /** A refresh token that had been sent before was refused, and it was not said that an answer to it had been lost. */
  mysteries: number
  /** Tokens were written over newer ones. */
  regress: number
  /** ... or over ones with more scope. */
  narrowed: number
  /** A login was there again after its sign-out. */
  resurrected: number
  /** A login lived on at the server after its sign-out. */
  leaked: number
  /** A person was needed although what was stored is good. */
  pages: number
  /** A caller waited for more than 48 s. */
  waits: number
  /** A caller was told that a refresh takes longer. */
  pending: number
  /** A caller waited for somebody else's refresh although its own access token was good. */
  idle: number
  /** Something never ended. */
  stuck: number
  /** A process that lives for a moment got no token in it. */
  starved: number
  /** Most often that one token was sent. */
  storm: number
}

export const noFigures = (): Figures => ({
  refreshes: 0,
  doubleSpends: 0,
  lost: 0,
  unexplained: 0,
  mysteries: 0,
  regress: 0,
  narrowed: 0,
  resurrected: 0,
  leaked: 0,
  pages: 0,
  waits: 0,
  pending: 0,
  idle: 0,
  stuck: 0,
  starved: 0,
  storm: 0,
})

/** A world, and what the model comes to in 1,000 rounds of it; what is absent never happened. */
export type Row = World & { readonly model: Pick<Figures, 'refreshes'> & Partial<Figures> }

import type { CountersignError } from '../errors/error.js'

/** A deviation from a specification that was tolerated. */
export interface Diagnostic {
  /** A stable name for the deviation. */
  readonly code: DiagnosticCode
  /** Where it was seen, without query; of a record, its key. */
  readonly url: string
  /** What should have been. */
  readonly expected: string
  /** What was there instead; text from outside is shortened and escaped. */
  readonly received: string
}

/** Every tolerated deviation has a name here; `docs/errors.md` says what each means. */
export type DiagnosticCode =
  | 'challenge_missing'
  | 'challenge_invalid'
  | 'challenge_parameter_repeated'
  | 'resource_metadata_url_invalid'
  | 'resource_metadata_missed'
  | 'resource_metadata_absent'
  | 'endpoints_assumed'
  | 'resource_is_prefix'
  | 'resource_trailing_slash'
  | 'issuer_trailing_slash'
  | 'null_member'
  | 'member_invalid'
  | 'verification_uri_misnamed'
  | 'registration_status'
  | 'registration_adjusted'
  | 'token_response_form_encoded'
  | 'token_response_status'
  | 'token_type_missing'
  | 'expires_in_not_a_number'
  | 'token_born_expired'
  | 'scope_narrowed'
  | 'foreign_origin'
  | 'revocation_unsupported'
  | 'revocation_failed'
  | 'access_token_not_revoked'
  | 'record_discarded'
  | 'record_unreadable'
  | 'user_agent_end_failed'
  | 'web_locks_missing'
  | 'dpop_declined'
  | 'key_missing'
  | 'key_not_deleted'

/** One HTTP exchange, or one step of the flow, redacted. */
export interface TraceEntry {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** What it belongs to, as in `CountersignError.step`. */
  readonly step: string
  /** Of HTTP. */
  readonly method: string
  /** Without query: queries carry codes and states. */
  readonly url: string
  /** Of the answer; absent: none came. */
  readonly status?: number
  /** From the request to the answer. */
  readonly durationMs?: number
  /** What else there is to say: why no answer came, for one. */
  readonly note?: string
}

/** What happened, for a host's own log. Nothing in it is secret. */
export interface LogEvent {
  /** What happened. */
  readonly type: LogEventType
  /** Milliseconds since the epoch. */
  readonly at: number
  /** `debug`: exchanges, and what others do; `info`: what became of a login; `warn`: what somebody should look at. */
  readonly level: 'debug' | 'info' | 'warn'
  /** The MCP server, without query: a query can be a secret. */
  readonly url?: string
  /** Whose login it is; absent: the only one. */
  readonly account?: string
  /** Of `diagnostic`. */
  readonly diagnostic?: Diagnostic
  /** Of `exchange`. */
  readonly exchange?: TraceEntry
  /** Why, where something failed. */
  readonly error?: CountersignError
}

/** Every event has a name here; `docs/errors.md` says what each means. */
export type LogEventType =
  | 'diagnostic'
  | 'exchange'
  | 'login_started'
  | 'login_waiting'
  | 'login_followed'
  | 'login_resumed'
  | 'login_completed'
  | 'login_failed'
  | 'refreshed'
  | 'acquired'
  | 'adopted'
  | 'lease_waited'
  | 'lease_taken_over'
  | 'kept'
  | 'rotation_lost'
  | 'spent'
  | 're_registered'
  | 'signed_out'

/** Is told every event, and not waited for. What it throws or rejects with is dropped. */
export type Log = (event: LogEvent) => void

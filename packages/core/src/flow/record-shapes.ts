import type { Kinds } from './records.js'

/**
 * An example: a text stands for itself, an empty one for any, other values for any of their type, an element for any number of
 * them; `?` marks what may be missing.
 */
type Shape = string | number | boolean | readonly [Shape] | { readonly [member: string]: Shape }

const target = { issuer: '', resource: '', token_endpoint: '', 'dpop_key_id?': '' }
const client = { client_id: '', token_endpoint_auth_method: '', origin: '' }
const turns = {
  phase: '',
  turn: 0,
  got: 0,
  'lease?': { id: '', holder: '', taken_at: 0, lasts_ms: 0 },
  'unanswered?': 0,
  'retry_at?': 0,
  'replaced?': [{ refresh_token: '', target, 'client?': client }],
} as const
const tokens = {
  access_token: '',
  token_type: '',
  issued_at: 0,
  'refresh_token?': '',
  'scope?': '',
  'expires_at?': 0,
}
const held = { ...turns, grant: '', granted: { request: { url: '' }, target, tokens, 'client?': client } }
const login = { url: '', carried: true, 'account?': '', 'app_state?': '' }
const fresh_until = 0

/** What the records of each kind cannot do without. One of these fits. */
const shapes: Readonly<Record<keyof Kinds, readonly Shape[]>> = {
  grant: [
    { ...turns, phase: 'absent' },
    { ...held, phase: 'valid' },
    { ...held, phase: 'spent' },
  ],
  registration: [{ client, redirect_uris: [''], 'scope?': '' }],
  attempt: [
    { ...login, attempt: { phase: '', request: { url: '' }, target, client, pending: { kind: '', expires_at: 0 } } },
    { ...login, completed: true },
  ],
  login: [
    {
      id: '',
      holder: '',
      at: 0,
      lasts_ms: 0,
      'attempt?': '',
      'redirect_uri?': '',
      'followed?': true,
      'left?': true,
      'failed?': { code: '', step: '', message: '' },
    },
  ],
  discovery: [
    { metadata: { issuer: '' }, fresh_until },
    { metadata: { resource: '', authorization_servers: [''] }, fresh_until, url: '' },
  ],
}

/** Whether what a store has is a record of this kind: stores are damaged, shared and copied. */
export const isRecord = <K extends keyof Kinds>(kind: K, value: unknown): value is Kinds[K] =>
  shapes[kind].some((shape) => fits(value, shape))

function fits(value: unknown, shape: Shape): boolean {
  if (typeof shape === 'string' && shape !== '') return value === shape
  if (typeof shape !== 'object') return typeof value === typeof shape
  if (typeof value !== 'object' || value === null) return false
  if (isList(shape)) return Array.isArray(value) && value.every((element) => fits(element, shape[0]))
  return Object.entries(shape).every(([name, member]) => {
    const found: unknown = Reflect.get(value, name.replace('?', ''))
    return (found === undefined && name.endsWith('?')) || fits(found, member)
  })
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape)

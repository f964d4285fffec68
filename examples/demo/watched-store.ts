import { createHash } from 'node:crypto'
import { memoryStore, type Store } from '@countersign/node'

/** The demo's own store: the library's, with a look at what is in it. Real hosts have no use for this. */
export interface WatchedStore {
  readonly store: Store
  /** The grant that is stored now. */
  grant(): Promise<StoredGrant>
  /** Every token, verifier and state that was ever stored, to look for where none may be. */
  secrets(): readonly string[]
}

/** The members of a grant record that the demo proves something with. */
export interface StoredGrant {
  readonly phase: string
  readonly clientId?: string | undefined
  readonly resource?: string | undefined
  readonly tokenEndpoint?: string | undefined
  readonly refreshToken?: string | undefined
}

interface GrantRecord {
  readonly value?: {
    readonly phase?: string
    readonly granted?: {
      readonly tokens?: { readonly refresh_token?: string }
      readonly client?: { readonly client_id?: string }
      readonly target?: { readonly resource?: string; readonly token_endpoint?: string }
    }
  }
}

const secretMembers = new Set([
  'access_token',
  'refresh_token',
  'code_verifier',
  'state',
  'client_secret',
  'device_code',
])

/** @param appId - whose records to look at */
export function watchedStore(appId: string): WatchedStore {
  const inner = memoryStore()
  const seen = new Set<string>()
  return {
    store: {
      ...inner,
      replace: (key, expected, next, options) => {
        if (next !== undefined) collect(JSON.parse(next), seen)
        return inner.replace(key, expected, next, options)
      },
    },
    grant: async () => {
      const [key = ''] = await inner.keys(`${appId}/grant/`)
      const { value } = JSON.parse((await inner.get(key)) ?? '{}') as GrantRecord
      const { tokens, client, target } = value?.granted ?? {}
      return {
        phase: value?.phase ?? 'none',
        clientId: client?.client_id,
        resource: target?.resource,
        tokenEndpoint: target?.token_endpoint,
        refreshToken: tokens?.refresh_token,
      }
    },
    secrets: () => [...seen],
  }
}

function collect(value: unknown, into: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  for (const [member, inner] of Object.entries(value)) {
    if (typeof inner === 'string' && secretMembers.has(member)) into.add(inner)
    collect(inner, into)
  }
}

/** A few digits that tell two secrets apart and lead back to neither. */
export const fingerprint = (secret: string): string => createHash('sha256').update(secret).digest('hex').slice(0, 8)

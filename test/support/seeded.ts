import type { Store } from '@countersign/core'
import type { Grant } from '../../packages/core/src/flow/grant.js'
import { Records } from '../../packages/core/src/flow/records.js'
import type { Client } from '../../packages/core/src/messages/client-information.js'
import type { Tokens } from '../../packages/core/src/messages/token-response.js'
import type { Target } from '../../packages/core/src/steps/target.js'

export interface Seed {
  readonly url: string
  readonly account?: string
  readonly tokens: Tokens
  readonly target?: Partial<Target>
  readonly client?: Partial<Client>
  /** Anything else that the record carries: a lease, `unanswered`, another phase. */
  readonly record?: Partial<Extract<Grant, { readonly phase: 'valid' | 'spent' }>>
}

const recordsOf = (store: Store): Records =>
  new Records(
    store,
    'test',
    () => 0,
    () => undefined,
  )

/** Puts a login into a store, as an earlier process of the application `test` would have left it. */
export async function seedGrant(store: Store, seed: Seed): Promise<void> {
  const { url, account, tokens, record } = seed
  const { origin } = new URL(url)
  const target: Target = {
    resource: url,
    resource_parameter: url,
    issuer: origin,
    token_endpoint: `${origin}/token`,
    authorization_endpoint: `${origin}/authorize`,
    revocation_endpoint: `${origin}/revoke`,
    iss_parameter: true,
    client_id_metadata_document_supported: false,
    ...seed.target,
  }
  const client: Client = { client_id: 'seeded', token_endpoint_auth_method: 'none', origin: 'dynamic', ...seed.client }
  const granted = { request: { url, by: 'person', ...(account && { account }) }, target, client, tokens } as const
  const grant: Grant = { phase: 'valid', grant: 'seeded', granted, turn: 1, got: 1, ...record }
  await putGrant(store, grant, url, account)
}

/** Replaces whatever a store has for a server. */
export async function putGrant(store: Store, grant: Grant, url: string, account?: string): Promise<void> {
  const records = recordsOf(store)
  const key = await records.key('grant', [url, account])
  const { raw } = await records.read('grant', key)
  await records.write(key, raw, grant)
}

/** What a store has for a server. */
export async function grantIn(store: Store, url: string, account?: string): Promise<Grant | undefined> {
  const records = recordsOf(store)
  return (await records.read('grant', await records.key('grant', [url, account]))).value
}

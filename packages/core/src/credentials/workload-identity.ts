import { type Acquisition, JWT_BEARER, presented } from './acquisition.js'
import type { trustDiscovered } from './registered-client.js'

/** Gives the workload's own token: what its platform signed (a Kubernetes service account, a CI job, a cloud's metadata server). */
export type AssertionSupplier = (need: {
  /** Whom the token has to be for. Platforms that make tokens on demand take it; others are configured with it. */
  readonly audience: string
}) => Promise<string>

/** A workload, and who trusts its platform. */
export interface WorkloadIdentityOptions {
  /** Exactly the issuer string of the authorization server, or `trustDiscovered`. */
  readonly issuer: string | typeof trustDiscovered
  /** Asked at each acquisition, because platforms rotate these tokens; once more when the server refuses what it gave. */
  readonly assertion: string | AssertionSupplier
  /** What a supplier is told to make the token for. Default: the issuer. */
  readonly audience?: string
}

/** A workload's own token for an access token (RFC 7523 section 2.1; MCP extension `io.modelcontextprotocol/auth/wif`). */
export const byWorkloadIdentity = ({ issuer, assertion, audience }: WorkloadIdentityOptions): Acquisition => ({
  issuer,
  acquire: (context) => {
    const { request, scope } = context
    const need = { audience: audience ?? context.issuer }
    return presented(context, typeof assertion === 'string' ? assertion : () => assertion(need), (value) =>
      request({ grant_type: JWT_BEARER, assertion: value, scope }),
    )
  },
})

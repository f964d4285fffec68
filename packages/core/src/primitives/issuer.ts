/**
 * How two issuer identifiers compare: by exact string, without any normalisation (RFC 8414 section 3.3, RFC 9207
 * section 2.4). `root_slash` names the one difference that deployments have in common: a slash after an empty path.
 */
export function compareIssuer(expected: string, received: string): 'identical' | 'root_slash' | 'different' {
  if (expected === received) return 'identical'
  return withoutRootSlash(expected) === withoutRootSlash(received) ? 'root_slash' : 'different'
}

const withoutRootSlash = (issuer: string): string => issuer.replace(/^(https?:\/\/[^/?#]+)\/$/, '$1')

/** The grant of RFC 8693 section 2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** A token type of RFC 8693 section 3, or of the identity assertion grant. */
export const tokenType = (name: 'access_token' | 'id_token' | 'refresh_token' | 'saml2' | 'id-jag'): string =>
  `urn:ietf:params:oauth:token-type:${name}`

import { CountersignError } from '@countersign/core'

const isWebUrl = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)

/**
 * A redirect URI as it is given, because it is compared character by character (RFC 9700 section 4.1.3).
 *
 * @throws CountersignError `options_invalid`
 */
export function checkRedirectUri(redirectUri: string): string {
  if (isWebUrl(redirectUri) && !redirectUri.includes('#')) return redirectUri
  throw new CountersignError('options_invalid', {
    step: 'connect',
    expected: 'redirectUri as an absolute http or https URL without fragment',
    received: redirectUri,
  })
}

/**
 * Where a window may be sent. The authorization endpoint is the server's word, and a page that navigates to `javascript:` runs
 * it as its own script: hence this stands before every navigation, the host's own included.
 *
 * @throws CountersignError `url_not_allowed`
 */
export function navigableUrl(url: string): string {
  if (isWebUrl(url)) return new URL(url).href
  throw new CountersignError('url_not_allowed', {
    step: 'present',
    url,
    expected: 'an http or https URL',
    hint: 'The page stayed. The operator of the authorization server must correct its authorization_endpoint.',
  })
}

/** The page of a login that is answered by a redirect; these agents show no other. */
export function redirectPage<P extends { readonly kind: string }>(
  page: P,
  url: string,
): P & { readonly kind: 'redirect' } {
  if (page.kind === 'redirect') return page as P & { readonly kind: 'redirect' }
  throw new CountersignError('user_agent_unsuitable', {
    step: 'present',
    url,
    expected: 'a redirect that way() has prepared',
    received: page.kind,
  })
}

/**
 * A browser whose person agrees at once: one GET of the authorization URL and one of where it redirects to, the loopback
 * listener. The suite counts the requests, so nothing is fetched ahead or again.
 */
export async function agree(authorizationUrl: string): Promise<void> {
  const page = await fetch(authorizationUrl, { redirect: 'manual' })
  const location = page.headers.get('location')
  if (location === null) throw new TypeError(`HTTP ${page.status} without a redirect`)
  await fetch(new URL(location, authorizationUrl))
}

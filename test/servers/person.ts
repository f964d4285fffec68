import { createCookieJar } from './cookie-jar.js'
import { type Form, firstForm, linkNamed } from './page.js'

/** The page that a person ends up on. */
export interface FinalPage {
  readonly status: number
  readonly body: string
  readonly url: string
}

/** A person at a browser, as a script. Methods are bound, so that `open` can be handed to a user agent. */
export interface Person {
  /** What they enter at the login page. */
  login: string
  /** What they do at the consent page. */
  decision: 'approve' | 'deny'
  /** Opens an authorization URL, fills in what is asked, and ends on the page at the client's redirect URI. */
  open(authorizationUrl: string): Promise<FinalPage>
  /** The same, but stops in front of the redirect URI and returns the URL the browser would have called. */
  authorizationResponse(authorizationUrl: string): Promise<string>
  /** Opens the page of a device login (RFC 8628 section 3.3), enters the code, and ends on the page that says how it went. */
  enterCode(verificationUri: string, userCode: string): Promise<FinalPage>
}

type Step = { readonly url: URL; readonly form?: URLSearchParams }
type Page = { readonly url: URL; readonly status: number; readonly body: string }

// A login is five or six steps; a person gives up on pages that lead in a circle.
const maximumSteps = 30

/**
 * A person who logs in and consents at `oidc-provider`'s own pages, by plain HTTP: cookies, redirects and the real
 * forms. One person has one cookie jar, so that a second visit finds them logged in, as in a browser.
 */
export function person(options: { login?: string; decision?: 'approve' | 'deny' } = {}): Person {
  const jar = createCookieJar()

  const load = async (step: Step): Promise<Page | Step> => {
    const cookie = jar.headerFor(step.url)
    const response = await fetch(step.url, {
      method: step.form ? 'POST' : 'GET',
      ...(step.form ? { body: step.form } : {}),
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', ...(cookie ? { cookie } : {}) },
      redirect: 'manual',
    })
    jar.keep(step.url, response)
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || location === null) {
      return { url: step.url, status: response.status, body: await response.text() }
    }
    await response.body?.cancel()
    const url = new URL(location, step.url)
    const repeats = response.status === 307 || response.status === 308
    return repeats && step.form ? { url, form: step.form } : { url }
  }

  const next = (page: Page): Step | undefined => {
    const form = page.status < 400 ? firstForm(page.body, page.url) : undefined
    if (form === undefined) return undefined
    if (form.fields.some(({ name, type }) => name === 'user_code' && type === 'text')) return undefined
    const asksForPassword = form.fields.some((field) => field.type === 'password')
    const confirmsCode = form.fields.some(({ name }) => name === 'confirm')
    if (confirmsCode && self.decision === 'deny') {
      return submission({ ...form, fields: [...form.fields, { name: 'abort', type: 'hidden', value: 'yes' }] }, '')
    }
    if (!asksForPassword && self.decision === 'deny') {
      const cancel = linkNamed(/cancel|deny|abort/i, page.body, page.url)
      if (cancel === undefined) throw new Error(`no way to deny on the page at ${withoutQuery(page.url)}`)
      return { url: cancel }
    }
    return submission(form, self.login)
  }

  const walk = async (authorizationUrl: string, stopBefore: boolean, first?: Step): Promise<FinalPage> => {
    const start = new URL(authorizationUrl)
    const redirectUri = start.searchParams.get('redirect_uri')
    let step: Step = first ?? { url: start }
    for (let count = 0; count < maximumSteps; count++) {
      // Where the request was pushed, its address names no redirect URI: then the client is whoever is elsewhere.
      const returned =
        redirectUri === null
          ? start.searchParams.has('request_uri') && step.url.origin !== start.origin
          : withoutQuery(step.url) === withoutQuery(new URL(redirectUri))
      if (returned && stopBefore) return { status: 0, body: '', url: step.url.href }
      const loaded = await load(step)
      // A form on the client's own page is not one to fill in.
      const following = 'body' in loaded ? (returned ? undefined : next(loaded)) : loaded
      if (following) step = following
      else if ('body' in loaded) return { status: loaded.status, body: loaded.body, url: loaded.url.href }
    }
    throw new Error(`the pages behind ${withoutQuery(start)} lead nowhere`)
  }

  const self: Person = {
    login: options.login ?? 'alice',
    decision: options.decision ?? 'approve',
    open: (authorizationUrl) => walk(authorizationUrl, false),
    enterCode: async (verificationUri, userCode) => {
      const loaded = await load({ url: new URL(verificationUri) })
      const form = 'body' in loaded ? firstForm(loaded.body, loaded.url) : undefined
      if (form === undefined) throw new Error(`no code can be entered at ${withoutQuery(new URL(verificationUri))}`)
      return walk(verificationUri, false, submission(form, userCode))
    },
    authorizationResponse: async (authorizationUrl) => {
      const page = await walk(authorizationUrl, true)
      if (page.status === 0) return page.url
      throw new Error(`the authorization server answered ${page.status} with a page of its own: ${textOf(page.body)}`)
    },
  }
  return self
}

function submission(form: Form, login: string): Step {
  const filled = new URLSearchParams()
  for (const field of form.fields) {
    const typed = field.type === 'password' ? 'any password' : field.type === 'text' ? login : field.value
    filled.append(field.name, typed)
  }
  if (form.method === 'POST') return { url: form.action, form: filled }
  const url = new URL(form.action)
  url.search = filled.toString()
  return { url }
}

function withoutQuery(url: URL): string {
  return url.origin + url.pathname
}

function textOf(html: string): string {
  return html
    .replace(/<(style|script|title)\b[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200)
}

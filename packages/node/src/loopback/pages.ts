import type { CountersignError, ErrorCode } from '@countersign/core'

/** What a success page may name. */
export interface SignedIn {
  /** The host of the MCP server, with its port if it has one. */
  readonly server: string
  /** The URL of the MCP server. */
  readonly url: string
}

/**
 * A host's own pages: functions that give a whole HTML document. It is served under the same
 * `Content-Security-Policy` as ours: inline styles, no script, nothing loaded. Escape what you put in.
 */
export interface LoopbackPages {
  /** Default: the package's own. */
  readonly success?: (info: SignedIn) => string
  /** Default: the package's own. Not asked where the response may be an attacker's (a wrong issuer, say): those get the neutral page. */
  readonly failure?: (error: CountersignError) => string
}

/** Answers that are the same whoever asks. */
export type Notice = 'unrecognised' | 'answered' | 'not_found'

/** Headers of every page. The address of the page carries the code: it is neither kept, nor sent on, nor framed. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  Connection: 'close',
}

const NOTICES: Readonly<Record<Notice, readonly [title: string, text: string]>> = {
  unrecognised: ['Not recognised', 'This request does not belong to the sign-in that is waiting here.'],
  answered: ['Already answered', 'This sign-in has had its answer. You can close this window.'],
  not_found: ['Nothing here', 'This address only receives the answer of a sign-in.'],
}

/** Failures of responses that did not pass `state` and `iss`: what they carry is not repeated to the person. */
const UNTRUSTED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'account_mismatch',
  'authorization_response_invalid',
  'issuer_mismatch',
  'login_not_found',
  'state_mismatch',
])

/** The page after a login that ended well. */
export function successPage(info: SignedIn, pages: LoopbackPages = {}): string {
  if (pages.success !== undefined) return pages.success(info)
  const server = `<p>You are signed in to <strong>${escapeHtml(info.server)}</strong>.</p>`
  return page(
    'ok',
    'Signed in',
    `${server}<p class="quiet">You can close this window and go back to your application.</p>`,
  )
}

/** The page after a login that failed: why, and what to do. Neutral where the response may be an attacker's. */
export function failurePage(error: CountersignError, pages: LoopbackPages = {}): string {
  if (UNTRUSTED.has(error.code)) {
    return page(
      'failed',
      'Sign-in not completed',
      '<p>The answer could not be trusted, so nothing was done with it.</p><p class="quiet">You can close this window. Your application has the details.</p>',
    )
  }
  if (pages.failure !== undefined) return pages.failure(error)
  const details = error.message.endsWith(error.hint) ? error.message.slice(0, -error.hint.length) : error.message
  return page(
    'failed',
    'Sign-in not completed',
    `<p>${escapeHtml(error.hint)}</p><p class="details">${escapeHtml(details.trim())}</p><p class="quiet">You can close this window and go back to your application.</p>`,
  )
}

/** A page that says nothing about the login. */
export function noticePage(kind: Notice): string {
  const [title, text] = NOTICES[kind]
  return page('notice', title, `<p>${escapeHtml(text)}</p>`)
}

/** `text` as HTML text or as a quoted attribute value. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`)

const STYLE = `:root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--text:#1c1e21;--soft:#5f6570;--line:#e2e4e9;--ok:#12805c;--failed:#b3372f;--notice:#5f6570}
@media(prefers-color-scheme:dark){:root{--page:#121417;--card:#1b1e23;--text:#eceef1;--soft:#a2a9b4;--line:#2d323a;--ok:#4cc79a;--failed:#f2867d;--notice:#a2a9b4}}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:440px;padding:40px 36px;background:var(--card);border:1px solid var(--line);border-radius:16px;text-align:center;overflow-wrap:anywhere}
svg{width:52px;height:52px;fill:none;stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round}.ok svg{stroke:var(--ok)}.failed svg{stroke:var(--failed)}.notice svg{stroke:var(--notice)}
h1{margin:16px 0 8px;font-size:22px;line-height:1.3;font-weight:650}p{margin:8px 0}.quiet{color:var(--soft);font-size:14px}
.details{padding:12px 14px;margin:16px 0;border:1px solid var(--line);border-radius:10px;color:var(--soft);font-size:13px;text-align:left}`

const MARKS = {
  ok: 'm15 24.5 6.5 6.5L33.5 18',
  failed: 'm17.5 17.5 13 13m0-13-13 13',
  notice: 'M24 15v12m0 6v.01',
} as const

/** `body` is HTML, everything else text. */
const page = (mark: keyof typeof MARKS, title: string, body: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main class="${mark}"><svg viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="21"/><path d="${MARKS[mark]}"/></svg><h1>${escapeHtml(title)}</h1>${body}</main></body>
</html>
`

import type { Listed } from './host.js'

/** Nothing that is not of this origin runs, and nothing inline; the MCP and authorization servers are elsewhere. */
export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src http: https:; base-uri 'none'; " +
  "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

/** JSON in a data block: `<` could end it. */
const data = (servers: readonly Listed[]): string =>
  `<script type="application/json" id="servers">${JSON.stringify(servers).replaceAll('<', '\\u003c')}</script>`

const page = (title: string, body: string, script: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/style.css">
<script type="module" src="/${script}.js"></script>
</head>
<body>
${body}
</body>
</html>
`

const frame = (here: 'plain' | 'react', main: string): string => `<header class="top">
<div>
<h1><img src="/icon.svg" alt="" width="28" height="28">Countersign</h1>
<p>MCP servers that this page may use in your name.</p>
</div>
<nav>
<a href="/"${here === 'plain' ? ' aria-current="page"' : ''}>Without a framework</a>
<a href="/react"${here === 'react' ? ' aria-current="page"' : ''}>React</a>
</nav>
</header>
<main>${main}</main>
<footer>Any name and any password will do. Logins are kept encrypted in this browser, and outlive the tab.</footer>`

const templates = `<template id="card"><article>
<header><h2></h2><span class="status" role="status"></span></header>
<p class="where"><code></code> <span class="scope"></span></p>
<p class="actions"><button type="button" class="sign-in">Sign in</button><button type="button" class="list-tools">Tools</button><button type="button" class="sign-out">Sign out</button></p>
<ul></ul>
<output></output>
</article></template>
<template id="tool"><li><div><strong></strong><span></span></div><form><button type="submit">Call</button></form></li></template>
<template id="field"><input required></template>`

export const plainPage = (servers: readonly Listed[]): string =>
  page('Countersign, without a framework', frame('plain', '') + templates + data(servers), 'plain')

/** @param rendered - what `renderToString` made of the application */
export const reactPage = (servers: readonly Listed[], rendered: string): string =>
  page('Countersign, with React', frame('react', rendered) + data(servers), 'hydrate')

/** The page at the redirect URI: its own few lines, and `relayCallback()`. */
export const callbackPage: string = page('Signing in', '<p class="alone">You can close this window.</p>', 'callback')

export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="8" fill="#3457d5"/>
<path d="M9 16.5l5 5 9-11" fill="none" stroke="#fff" stroke-width="3.4" stroke-linecap="round" stroke-linejoin="round"/>
</svg>`

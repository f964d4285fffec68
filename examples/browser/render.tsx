import { renderToString } from 'react-dom/server'
import { App } from './app.js'
import { connectorAt, type Listed } from './host.js'

/** What a server sends: every connection is `restoring`, because the logins are in the browser. */
export function render(origin: string, listed: readonly Listed[]): string {
  const connector = connectorAt(origin)
  return renderToString(<App servers={listed.map(({ name, url }) => ({ name, connection: connector.connect(url) }))} />)
}

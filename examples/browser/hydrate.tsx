import { hydrateRoot } from 'react-dom/client'
import { App } from './app.js'
import { connectorAt, type Listed } from './host.js'

const connector = connectorAt(location.origin)
const listed: readonly Listed[] = JSON.parse(document.querySelector('#servers')?.textContent ?? '[]')
// Once, outside of the components: a connection is an object like any other.
const servers = listed.map(({ name, url }) => ({ name, connection: connector.connect(url) }))
hydrateRoot(document.querySelector('main')!, <App servers={servers} />)

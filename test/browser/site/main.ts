import { App } from './app.js'

window.app = new App()
// The page at the redirect URI does as its documentation says, before anything else.
if (location.pathname === '/callback') {
  const setup = sessionStorage.getItem('setup') ?? localStorage.getItem('setup')
  window.app.outcome = window.app
    .relay(setup ? JSON.parse(setup) : undefined)
    .then((outcome) => (outcome === 'relayed' ? { value: 'relayed' } : outcome))
}
document.title = 'ready'

// The host is the extension's service worker: its pages ask it, and it may be stopped between two questions. In a clone,
// `npx pnpm --filter @countersign/examples exec esbuild extension/background.ts --bundle --format=esm --outfile=extension/background.js`
// makes what the manifest names; `popup.html` is a page of yours, which asks with `chrome.runtime.sendMessage({ ask, url })`.

import { CountersignError, createConnector } from '@countersign/browser'
import { identity } from './identity.js'

declare const chrome: {
  readonly runtime: {
    readonly onMessage: {
      addListener(listener: (asked: Asked, sender: unknown, answer: (said: unknown) => void) => true): void
    }
  }
}

interface Asked {
  readonly ask: 'authorize' | 'ping' | 'signOut'
  readonly url: string
}

const connector = createConnector({ appId: 'com.example.extension', clientName: 'My extension', userAgent: identity() })

async function answer({ ask, url }: Asked): Promise<unknown> {
  const connection = connector.connect(url)
  if (ask === 'authorize') return (await connection.authorize()).status
  if (ask === 'signOut') return connection.signOut()
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
  return (await connection.fetch(url, { method: 'POST', headers, body })).status
}

chrome.runtime.onMessage.addListener((asked, _sender, reply) => {
  answer(asked).then(
    (said) => reply({ said }),
    (error: unknown) => reply({ error: CountersignError.is(error) ? error.toJSON() : String(error) }),
  )
  // The answer comes later.
  return true
})

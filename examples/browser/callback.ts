// The page at the redirect URI. Nothing runs before this: the address has the code in it.

import { relayCallback } from '@countersign/browser'
import { connectorAt, messageOf } from './host.js'

const connector = connectorAt(location.origin)

async function handOver(): Promise<string> {
  // #region callback
  const left = await relayCallback()
  if (left) await connector.completeAuthorization(left)
  // #endregion
  return left ? 'You are signed in. You can close this window.' : 'You can close this window.'
}

document.querySelector('p')!.textContent = await handOver().catch(messageOf)

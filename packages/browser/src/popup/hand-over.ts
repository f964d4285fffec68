/**
 * How the page at the redirect URI hands an authorization response to the page that waits for it: by BroadcastChannel, which
 * crosses what Cross-Origin-Opener-Policy severs, and where there is none by an event of web storage. Both ends are of one origin.
 * The name has the `state`, which only the two and the authorization server know.
 */
const nameOf = (state: string): string => `countersign:${state}`
/** What the waiting page answers. */
const TAKEN = 'taken'

/** The two ways, where this browser has them. */
const channelOf = (name: string): BroadcastChannel | undefined =>
  globalThis.BroadcastChannel && new BroadcastChannel(name)

/**
 * Waits for the response of one login. Whatever comes first with its `state` is taken, and nothing after it; everything else
 * is somebody else's, and is left alone.
 *
 * @returns ends the wait
 */
export function awaitResponse(state: string, take: (parameters: URLSearchParams) => void): () => void {
  const name = nameOf(state)
  const channel = channelOf(name)
  const end = (): void => {
    channel?.close()
    globalThis.removeEventListener('storage', stored)
  }
  const offered = (query: unknown, confirm: () => void): void => {
    const parameters = new URLSearchParams(typeof query === 'string' ? query : '')
    if (parameters.get('state') !== state) return
    confirm()
    end()
    take(parameters)
  }
  const stored = ({ key, newValue }: StorageEvent): void => {
    if (key === name) offered(newValue, () => localStorage.removeItem(name))
  }
  if (channel) channel.onmessage = ({ data }) => offered(data, () => channel.postMessage(TAKEN))
  globalThis.addEventListener('storage', stored)
  return end
}

/**
 * Offers a response to whoever waits for it.
 *
 * @returns whether somebody took it in time
 */
export function offerResponse(state: string, query: string, timeoutMs: number): Promise<boolean> {
  const name = nameOf(state)
  const channel = channelOf(name)
  return new Promise((resolve) => {
    const end = (taken: boolean): void => {
      clearTimeout(late)
      channel?.close()
      globalThis.removeEventListener('storage', stored)
      if (!channel) localStorage.removeItem(name)
      resolve(taken)
    }
    // Taken away by the other end: that is its answer.
    const stored = ({ key, newValue }: StorageEvent): void => {
      if (key === name && newValue === null) end(true)
    }
    const late = setTimeout(end, timeoutMs, false)
    if (channel) {
      channel.onmessage = ({ data }) => data === TAKEN && end(true)
      channel.postMessage(query)
    } else {
      globalThis.addEventListener('storage', stored)
      localStorage.setItem(name, query)
    }
  })
}

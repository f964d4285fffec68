/** Which records have been written, told to every tab of the origin. The channel is open while somebody listens. */
export interface News {
  tell(key: string): void
  watch(key: string, changed: () => void): () => void
}

export function news(name: string): News {
  const watchers = new Map<() => void, string>()
  let channel: BroadcastChannel | undefined
  return {
    tell: (key) => {
      // Of its own, because a channel does not hear itself.
      const once = new BroadcastChannel(name)
      once.postMessage(key)
      once.close()
    },
    watch: (key, changed) => {
      // An object of its own, because one function may watch twice.
      const watcher = (): void => changed()
      watchers.set(watcher, key)
      channel ??= new BroadcastChannel(name)
      channel.onmessage = ({ data }) => {
        for (const [tell, watched] of [...watchers]) if (watched === data) tell()
      }
      return () => {
        watchers.delete(watcher)
        if (watchers.size > 0) return
        channel?.close()
        channel = undefined
      }
    },
  }
}

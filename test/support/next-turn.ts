/** Resolves in the next turn of the loop: in Node after what sockets have brought, in a page after other messages. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    // Timers of a page are slowed down when they follow each other.
    if ('setImmediate' in globalThis) setImmediate(resolve)
    else {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        port1.close()
        resolve()
      }
      port2.postMessage(undefined)
    }
  })

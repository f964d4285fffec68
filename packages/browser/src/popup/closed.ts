const TICK_MS = 250
/** How long a person has been back before a popup that is out of sight counts as closed, in ticks. */
const SEEN = 4
const SEVERED = 60

/**
 * Notices that the person has closed a popup. `closed` alone does not say so: it also becomes true when a page in the popup
 * severs it from this one (Cross-Origin-Opener-Policy). Who closes a popup is back at the page in that moment; who is sent on
 * to another page in it is not. So where nobody came back at once, it takes a while of their being here to conclude that
 * there is no popup any more.
 *
 * @returns ends the watch
 */
export function whenClosed(child: Window, closed: () => void): () => void {
  let gone = 0
  let here = 0
  let needed = SEEN
  const timer = setInterval(() => {
    if (!child.closed) return
    gone += 1
    here = document.hasFocus() ? here + 1 : 0
    if (here === 0 && gone >= SEEN / 2) needed = SEVERED
    if (here >= needed) closed()
  }, TICK_MS)
  return () => clearInterval(timer)
}

import { afterEach } from 'vitest'

/** Closes what a test has opened when it is over, last things first. */
export function closing(): <T extends AsyncDisposable>(opened: T) => T {
  const open: AsyncDisposable[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
  })
  return (opened) => {
    open.push(opened)
    return opened
  }
}

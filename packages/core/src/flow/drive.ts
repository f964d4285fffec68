import { CountersignError } from '../errors/error.js'
import { type Attempt, type AttemptEvent, type AttemptIn, attempt, type attemptCommands } from './attempt.js'

/**
 * What runs in each state that has a command. A handler answers with the next event, or `'parked'` when somebody else will
 * bring it (a page load, another process).
 */
export type Handlers = {
  readonly [P in keyof typeof attemptCommands as Exclude<(typeof attemptCommands)[P], undefined>]: (
    state: AttemptIn<P>,
  ) => Promise<AttemptEvent | 'parked'>
}

/** The one loop: saves the state, runs its command, takes the next state. Resuming a login is calling this with what was stored. */
export async function drive(
  from: Attempt,
  handlers: Handlers,
  save: (state: Attempt) => Promise<void>,
): Promise<Attempt> {
  for (let state = from; ; ) {
    await save(state)
    const event = await run(state, handlers)
    if (event === undefined || event === 'parked') return state
    const next = attempt(state, event)
    if (next === state) {
      throw new CountersignError('unexpected', { step: state.phase, received: `${event.type} in ${state.phase}` })
    }
    state = next
  }
}

function run(state: Attempt, handlers: Handlers): Promise<AttemptEvent | 'parked'> | undefined {
  switch (state.phase) {
    case 'discovering':
      return handlers.discover(state)
    case 'registering':
      return handlers.register(state)
    case 'acquiring':
      return handlers.acquire(state)
    case 'preparing':
      return handlers.prepare(state)
    case 'authorizing':
      return handlers.present(state)
    case 'exchanging':
      return handlers.exchange(state)
    case 'polling':
      return handlers.poll(state)
    case 'granted':
    case 'failed':
      return undefined
  }
}

import { CountersignError } from '../errors/error.js'
import { type Attempt, type AttemptEvent, type AttemptIn, attempt, attemptCommands } from './attempt.js'

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

/** What runs in a state is a function of the state alone. */
function run(state: Attempt, handlers: Handlers): Promise<AttemptEvent | 'parked'> | undefined {
  const command = attemptCommands[state.phase]
  // The table of commands has the handler of each state's own type, which the union cannot show.
  return command && (handlers[command] as (state: Attempt) => Promise<AttemptEvent | 'parked'>)(state)
}

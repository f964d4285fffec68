import { type Connection, CountersignError } from '@countersign/node'

/**
 * Does what may need a person. A `fetch` waits for one for a while only; the login goes on, and what wanted it is done once
 * more when it is over.
 */
export async function patiently<T>(
  connection: Connection,
  say: (about: string, text: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!CountersignError.is(error) || error.code !== 'interaction_pending') throw error
    say('pending', error.message)
    await connection.authorize()
    return work()
  }
}

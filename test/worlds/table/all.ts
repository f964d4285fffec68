import type { Row } from '../world.js'
import { answers } from './answers.js'
import { holders } from './holders.js'
import { logins } from './logins.js'
import { stops } from './stops.js'

/**
 * Every world of the model of the refresh transaction, by its name there, with the figures of the model. Some losses no client
 * can prevent: a strict server whose answer was lost after its commit, a holder that was killed then, and one on another machine
 * that is stopped for longer than its lease.
 *
 * The rules are the model's. Two parameters are the product's, and the model was played with them: a token is renewed 48 to 60 s
 * before it expires (54 in the model, where it is off but in one world), and after a first 503 the wait is 5 s (20 in the model).
 * And as in the product, whose token has life left leaves a holder that is seen to live, and replaces one that is seen to be gone.
 */
export const worlds: readonly Row[] = [...holders, ...stops, ...answers, ...logins]

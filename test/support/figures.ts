import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** Whether the proofs run at full length (`pnpm test:faults`), or each runs a short share of it (`pnpm test`). */
export const full: boolean = process.env.FAULTS === 'full'

/** How many rounds a proof has: all of them at full length, else a few. */
export const rounds = (all: number, few: number): number => (full ? all : few)

/**
 * Says in one line what a proof has come to. `pnpm test:faults` prints the lines of all proofs at its end; the short shares
 * say nothing.
 *
 * @param name - the proof's, a few words; the lines are sorted by it
 */
export function figure(name: string, text: string): void {
  const line = `${name}: ${text}`
  const file = process.env.FAULTS_FIGURES
  // Appended whole, so that workers need not take turns.
  if (file) appendFileSync(file, `${line}\n`)
  else if (full) process.stdout.write(`${line}\n`)
}

/** The lines that were said into a file, sorted. */
export const figuresIn = (file: string): readonly string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').sort() : []

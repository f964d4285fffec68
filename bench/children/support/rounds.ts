/** One way of doing the thing that is measured. */
export type Work = () => Promise<unknown>

/**
 * Times several ways of doing a thing, in turns of a few milliseconds, so that whatever else the machine does falls on all of
 * them alike.
 *
 * @returns nanoseconds of one call, for each way, turn by turn
 */
export async function rounds<Name extends string>(
  ways: Readonly<Record<Name, Work>>,
  { warmUp, turns, calls }: { warmUp: number; turns: number; calls: number },
): Promise<Record<Name, number[]>> {
  const names = Object.keys(ways) as Name[]
  const found = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (let turn = -warmUp; turn < turns; turn++) {
    // Another one begins each time: who comes after whom must not matter.
    const shift = (turn + warmUp) % names.length
    for (const name of [...names.slice(shift), ...names.slice(0, shift)]) {
      const work = ways[name]
      const began = process.hrtime.bigint()
      for (let call = 0; call < calls; call++) await work()
      const took = Number(process.hrtime.bigint() - began)
      if (turn >= 0) found[name].push(took / calls)
    }
  }
  return found
}

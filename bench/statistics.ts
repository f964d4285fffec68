export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The median of all runs, and those of two benches with half of the runs each: how far they are apart says what a figure is worth. */
export function medianOfTwo(
  first: readonly number[],
  second: readonly number[],
): { median: number; benches: [number, number] } {
  return { median: median([...first, ...second]), benches: [median(first), median(second)] }
}

/** A figure for a person: three significant digits are more than a bench can vouch for. */
export const rounded = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(3)))

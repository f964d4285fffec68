import { type RequirementId, requirements } from './index.js'

/** What a test may be tagged with: the rows of the register that it cites. A tag that is none of these fails the file. */
export const tags: readonly { readonly name: RequirementId | 'timing'; readonly description: string }[] = [
  ...[...requirements].map(([name, { says }]) => ({ name: name as RequirementId, description: says })),
  { name: 'timing', description: 'Measures how long the code takes: left out where that is not as it is.' },
]

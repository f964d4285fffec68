import fc from 'fast-check'

// Enough for a mutant that a property catches at all, and run for every mutant that it touches.
fc.configureGlobal({ numRuns: 20 })

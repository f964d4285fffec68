import { memoryKeys } from '@countersign/core'
import { keysContract } from '../../contracts/keys.js'

keysContract('memory', () => {
  const keys = memoryKeys()
  return { open: () => keys }
})

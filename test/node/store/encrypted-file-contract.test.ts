import { encryptedFileStore } from '@countersign/node'
import { storeContract } from '../../contracts/store.js'
import { directories, KEY } from './support.js'

const directory = directories()

storeContract(
  'encrypted files',
  async () => {
    const place = await directory()
    return { open: () => encryptedFileStore({ directory: `${place}/store`, key: KEY }) }
  },
  { rounds: 5 },
)

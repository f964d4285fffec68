// What the bench needs of the stores' tests.
export { fakeKeytar } from './fake-keytar.js'
export { hasKeyring, keyringSession } from './keyring-session.js'

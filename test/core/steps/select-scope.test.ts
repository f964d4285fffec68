import { expect, test } from 'vitest'
import { type ScopeSources, selectScope } from '../../../packages/core/src/steps/select-scope.js'

const nothing: ScopeSources = {
  pinned: undefined,
  required: undefined,
  challenge: undefined,
  resource: undefined,
  authorizationServer: undefined,
  offlineAccess: true,
}
const everything = { challenge: 'c', resource: ['r', 's'], authorizationServer: ['x', 'offline_access'] }

test.each<[string, Partial<ScopeSources>, string | undefined]>([
  ['nobody says anything: none', {}, undefined],
  ['the host has pinned it: that, and nothing else', { ...everything, pinned: 'p' }, 'p'],
  ['pinned, and the host asks for more', { ...everything, pinned: 'p', required: 'q' }, 'p q'],
  ["the challenge's, before the resource's", { challenge: 'c', resource: ['r'] }, 'c'],
  ["the resource's, where the challenge names none", { resource: ['r', 's'] }, 'r s'],
  ["never the authorization server's catalogue", { authorizationServer: ['x', 'y'] }, undefined],
  ['what the host asks for, with what the challenge names', { challenge: 'c', required: 'q' }, 'q c'],
  ["what the host asks for, without the resource's catalogue", { resource: ['r'], required: 'q' }, 'q'],
  ['an empty catalogue is none', { resource: [] }, undefined],
  ['offline_access, where the authorization server lists it', everything, 'c offline_access'],
  ['offline_access, where nothing else is asked for', { authorizationServer: ['offline_access'] }, 'offline_access'],
  ['no offline_access, where the host does not want it', { ...everything, offlineAccess: false }, 'c'],
  ['no offline_access, where it is not listed', { ...everything, authorizationServer: ['x'] }, 'c'],
  ['offline_access once', { ...everything, challenge: 'c offline_access' }, 'c offline_access'],
])(
  'the scope of a login: %s',
  {
    tags: [
      'mcp/scope-order',
      'mcp/no-scope-relation',
      'mcp/challenge-scope',
      'mcp/least-privilege',
      'mcp/offline-access',
    ],
  },
  (_name, sources, expected) => {
    expect(selectScope({ ...nothing, ...sources })).toBe(expected)
  },
)

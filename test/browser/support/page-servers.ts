/** What stands in for `test/servers` where there is no Node: the scripted ones, over the same scripts. */
export type { Answer } from '../../servers/answer.js'
export * from '../../servers/scripted-authorization.js'
export * from './page-scriptable.js'

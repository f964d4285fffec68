import { CountersignError, type Presentation, type UserAgent, type Way } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { firstThatWorks } from '../../../packages/node/src/headless/first-that-works.js'
import { BOTH, begin, devicePage, refusal } from './begin.js'

/** A user agent that answers so, and notes what it was asked. */
function agent(way: Way | undefined | Error, onDemand = true): UserAgent & { readonly asked: string[] } {
  const asked: string[] = []
  const presentation: Presentation = {
    way: async () => {
      asked.push('way')
      if (way instanceof Error) throw way
      return way
    },
    present: async () => {
      asked.push('present')
      return 'shown'
    },
    end: async () => void asked.push('end'),
  }
  return {
    onDemand,
    asked,
    begin: () => {
      asked.push('begin')
      return presentation
    },
  }
}
const redirect: Way = { kind: 'redirect', redirectUri: 'http://127.0.0.1:1/callback' }
const unsuitable = (received: string) => new CountersignError('user_agent_unsuitable', { step: 'present', received })

describe('firstThatWorks()', () => {
  it('asks one after the other, and shows the page with the first that can serve the server', async () => {
    const agents = [agent(undefined), agent(unsuitable('no terminal')), agent(redirect), agent(redirect)] as const
    const login = begin(firstThatWorks(...agents))
    expect(await login.way(BOTH)).toEqual(redirect)
    expect(await login.present(devicePage())).toBe('shown')
    await login.end({ ok: true })
    expect(agents.map(({ asked }) => asked.join(' '))).toEqual([
      'begin way end',
      'begin way end',
      'begin way present end',
      '',
    ])
  })

  it('begins the first at once, for a window that has to open within the click', () => {
    const agents = [agent(redirect), agent(redirect)] as const
    begin(firstThatWorks(...agents))
    expect(agents.map(({ asked }) => asked)).toEqual([['begin'], []])
  })

  it('says why none can, where one has said so', async () => {
    expect(await begin(firstThatWorks(agent(undefined), agent(undefined))).way(BOTH)).toBeUndefined()
    const [first, second] = [unsuitable('one'), unsuitable('two')]
    expect(await refusal(begin(firstThatWorks(agent(undefined), agent(first), agent(second))).way(BOTH))).toBe(first)
  })

  it('another failure is no reason to go on', async () => {
    const failure = new CountersignError('options_invalid', { step: 'present' })
    const second = agent(redirect)
    expect(await refusal(begin(firstThatWorks(agent(failure), second)).way(BOTH))).toBe(failure)
    expect(second.asked).toEqual([])
  })

  it('may open a login unasked where all of them may', () => {
    expect(firstThatWorks(agent(redirect), agent(redirect)).onDemand).toBe(true)
    expect(firstThatWorks(agent(redirect), agent(redirect, false)).onDemand).toBe(false)
  })

  it('ends all that have begun, whatever one of them does, and is refused without any', async () => {
    const failing = agent(undefined)
    const broken: UserAgent = {
      ...failing,
      begin: () => ({ ...failing.begin({} as never), end: () => Promise.reject(1) }),
    }
    const second = agent(redirect)
    const login = begin(firstThatWorks(broken, second))
    await login.way(BOTH)
    expect(await refusal(login.end({ ok: true }))).toBe(1)
    expect(second.asked).toContain('end')
    expect(() => firstThatWorks()).toThrow(/firstThatWorks with at least one user agent/)
  })

  it('shows no page that was not prepared', async () => {
    expect(await refusal(begin(firstThatWorks(agent(redirect))).present(devicePage()))).toMatchObject({
      code: 'user_agent_unsuitable',
    })
  })
})

import { describe, expect, test } from 'vitest'
import type { HttpRequest, HttpResponse } from '../../../packages/core/src/http/http.js'
import type { Proofs, StepContext } from '../../../packages/core/src/steps/context.js'
import { postForm } from '../../../packages/core/src/steps/post-form.js'
import { simulatedClock } from '../../support/simulated-clock.js'

const url = 'https://as.example/token'
const client = { client_id: 'c', token_endpoint_auth_method: 'none', origin: 'registered' } as const
const parameters = { grant_type: 'refresh_token', refresh_token: 'r', scope: undefined }

/** A door that takes three seconds for each answer. */
function world() {
  const clock = simulatedClock()
  const sent: HttpRequest[] = []
  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    sent.push(request)
    await clock.advance(3_000)
    return { url, status: 200, headers: new Headers(), text: '{}' }
  }
  /** What a server that wants a nonce makes of it: sent twice, with another proof. */
  const proofs: Proofs = {
    binding: 'possible',
    issued: () => undefined,
    refused: () => ({}),
    through: async (_key, _url, again) => {
      await again({ dpop: 'proof-1' })
      return again({ dpop: 'proof-2' })
    },
  }
  const context: StepContext = {
    http: { send },
    clock,
    random: (bytes) => new Uint8Array(bytes),
    strict: false,
    diagnose: () => expect.unreachable('nothing deviates'),
    proofs: () => proofs,
  }
  return { context, sent }
}

describe('a form that is posted', () => {
  test('has the members that there are, and the client', async () => {
    const { context, sent } = world()
    const { secrets } = await postForm(context, { step: 'refresh', url, client, parameters })
    expect(sent.map(({ body }) => String(body))).toEqual(['grant_type=refresh_token&refresh_token=r&client_id=c'])
    expect(sent[0]).toMatchObject({ headers: {}, timeoutMs: undefined })
    expect(secrets.filter(Boolean)).toEqual(['r'])
  })

  test('with a proof, as often as it takes: each time with what is good once made anew, and in the time that is left', async () => {
    const { context, sent } = world()
    let n = 0
    const signing = { ...client, authenticate: async () => ({ client_id: 'c', client_assertion: `assertion-${++n}` }) }
    const request = { step: 'refresh', url, client: signing, parameters, timeoutMs: 10_000, key: 'k' }
    const { secrets } = await postForm(context, request)
    expect(sent.map(({ headers, timeoutMs }) => [headers?.dpop, timeoutMs])).toEqual([
      ['proof-1', 10_000],
      ['proof-2', 7_000],
    ])
    expect(sent.map(({ body }) => new URLSearchParams(String(body)).get('client_assertion'))).toEqual([
      'assertion-1',
      'assertion-2',
    ])
    expect(secrets).toEqual(expect.arrayContaining(['r', 'assertion-2', 'proof-2']))
  })

  test('never waits less than nothing', async () => {
    const { context, sent } = world()
    await postForm(context, { step: 'refresh', url, client, parameters, timeoutMs: 2_000, key: 'k' })
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([2_000, 0])
  })
})

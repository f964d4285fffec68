import { describe, expect, it } from 'vitest'
import { parseDeviceAuthorization } from '../../../packages/core/src/messages/device-authorization.js'
import { codesOf, mustRead } from './unwrap.js'

const usual = {
  device_code: 'd',
  user_code: 'WDJB-MJHT',
  verification_uri: 'https://as.example/device',
  expires_in: 1800,
}
const read = (members: object) => parseDeviceAuthorization(JSON.stringify({ ...usual, ...members }))

describe('the answer to a device authorization request', () => {
  it('is read, with five seconds where it names no interval', { tags: 'rfc8628/interval' }, () => {
    expect(read({ extra: 1 })).toEqual({ value: { ...usual, interval: 5 }, tolerated: [] })
    const complete = { verification_uri_complete: 'https://as.example/device?code=1', interval: 8 }
    expect(read(complete)).toEqual({ value: { ...usual, ...complete }, tolerated: [] })
  })

  it.each([
    ['an interval as a string', { interval: '8' }, { interval: 8 }, ['member_invalid']],
    ['an interval that is no number', { interval: 'soon' }, { interval: 5 }, ['member_invalid']],
    ['no pause at all', { interval: 0 }, { interval: 1 }, []],
    ['an expiry as a string', { expires_in: '900' }, { expires_in: 900 }, ['expires_in_not_a_number']],
    ['no expiry', { expires_in: undefined }, {}, ['member_invalid']],
    ['an empty complete URI', { verification_uri_complete: '' }, {}, ['null_member']],
    [
      'verification_url for verification_uri',
      { verification_uri: undefined, verification_url: 'https://as.example/u' },
      { verification_uri: 'https://as.example/u' },
      ['verification_uri_misnamed'],
    ],
  ])('%s is read as it was meant', (_name, members, value, codes) => {
    const parsed = read(members)
    expect(mustRead(parsed)).toMatchObject(value)
    expect(codesOf(parsed)).toEqual(codes)
  })

  it.each([
    ['markup', '<html>', 'a JSON object'],
    ['no device_code', JSON.stringify({ ...usual, device_code: '' }), 'device_code: a string'],
    ['no user_code', JSON.stringify({ ...usual, user_code: undefined }), 'user_code: a string'],
    ['no verification_uri', JSON.stringify({ ...usual, verification_uri: null }), 'verification_uri: a string'],
    ['a user_code that a terminal obeys', JSON.stringify({ ...usual, user_code: '\u001b[2J' }), 'user_code: text'],
    [
      'a user_code that reads from right to left',
      JSON.stringify({ ...usual, user_code: 'a\u202eb' }),
      'user_code: text',
    ],
    ['a user_code of many lines', JSON.stringify({ ...usual, user_code: 'a'.repeat(65) }), 'user_code: text'],
  ])('%s is refused, and not repeated', (_name, text, expected) => {
    const parsed = parseDeviceAuthorization(text)
    expect(parsed).toMatchObject({ invalid: { expected: expect.stringContaining(expected) } })
    expect(JSON.stringify(parsed)).not.toContain('[2J')
  })
})

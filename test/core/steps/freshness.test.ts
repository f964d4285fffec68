import { expect, test } from 'vitest'
import { freshUntil } from '../../../packages/core/src/steps/freshness.js'

const NOW = Date.UTC(2026, 0, 1)
const at = (ms: number): string => new Date(NOW + ms).toUTCString()

test.each<[string, Record<string, string>, number]>([
  ['nothing said', {}, 77],
  ['max-age', { 'cache-control': 'public, max-age=60' }, 60],
  ['max-age in quotes', { 'cache-control': 'max-age="60"' }, 60],
  ['max-age, on its way for a while', { 'cache-control': 'max-age=60', age: '20' }, 40],
  ['max-age that is over', { 'cache-control': 'max-age=60', age: '70' }, 0],
  ['max-age=0', { 'cache-control': 'max-age=0' }, 0],
  ['max-age before Expires', { 'cache-control': 'max-age=60', expires: at(900_000) }, 60],
  ['Expires', { expires: at(120_000) }, 120],
  ['Expires, by the clock of the server', { expires: at(120_000), date: at(100_000) }, 20],
  ['Expires in the past', { expires: at(-1_000) }, 0],
  ['Expires: 0, which means the past', { expires: '0' }, 0],
  ['an Age that is no number', { 'cache-control': 'max-age=60', age: 'x' }, 0],
  ['no-store', { 'cache-control': 'no-store' }, 0],
  ['no-cache, whatever else', { 'cache-control': 'max-age=60, no-cache' }, 0],
  ['a year', { 'cache-control': 'max-age=31536000' }, 86_400],
  ['s-maxage, which is for others', { 'cache-control': 's-maxage=60' }, 77],
])('how long metadata stays good: %s', (_name, headers, seconds) => {
  expect((freshUntil(new Headers(headers), NOW, 77) - NOW) / 1000).toBe(seconds)
})

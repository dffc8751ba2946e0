import { expect, test } from 'vitest';
import { endOfAxis, tickOf } from './axis';
import type { Row } from './rows';

const row = (what: string, ms: number | undefined): Row => ({
  by: 'browser',
  what,
  detail: '',
  agentName: '',
  ms,
  times: 1,
});

test.each([
  [1, 1],
  [57, 20],
  [1_247, 500],
  [4_000, 1_000],
  [61_000, 20_000],
])('an axis of %i ms has a label each %i ms', (end, tick) => {
  expect(tickOf(end)).toBe(tick);
});

test('a call of an hour does not squeeze its first second', () => {
  const rows = [row('token', 40), row('sound', 900), row('lost', 3_600_000)];

  expect(endOfAxis(rows, undefined)).toBe(900);
});

test('as long as something is awaited the axis grows with the time', () => {
  expect(endOfAxis([row('token', 40), row('sound', undefined)], 5_000)).toBe(5_000);
});

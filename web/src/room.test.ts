import { expect, test } from 'vitest';
import { toServerRoom } from './room';

test('events come in the order of their times, whatever the order of the answer', () => {
  const { events } = toServerRoom({
    timeline: [
      { at: '2026-11-22T22:50:01.500Z', event: 'joined', participant_identity: 'alice' },
      { at: '2026-11-22T22:50:01.123Z', event: 'token_issued' },
    ],
  });

  expect(events.map(({ event }) => event)).toEqual(['token_issued', 'joined']);
  expect((events[1]?.at ?? 0) - (events[0]?.at ?? 0)).toBe(377);
});

test.each([null, 7, [], {}, { timeline: {} }, { timeline: [null, 3, { at: 'now' }], advice: 'x' }])(
  'an answer of another shape (%j) is an empty one, not an exception',
  (json) => {
    expect(toServerRoom(json)).toEqual({ events: [], advice: undefined });
  },
);

test('advice without a cure is none', () => {
  const advice = { cause: 'no-worker', evidence: 'nobody took it', cure: 'Start the worker.' };

  expect([
    toServerRoom({ advice }).advice,
    toServerRoom({ advice: { cause: 'x' } }).advice,
  ]).toEqual([advice, undefined]);
});

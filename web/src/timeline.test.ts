import { expect, test } from 'vitest';
import { Timeline } from './timeline';

test('a step keeps its first time, so that a reconnect does not rewrite what was measured', () => {
  let now = 1000;
  const timeline = new Timeline(() => now);
  now = 1012.4;
  timeline.mark('token');
  now = 9000;
  timeline.mark('token');

  expect(timeline.toJSON()).toEqual({ token: 12 });
});

test('a step that has not happened has no number, not zero', () => {
  expect(new Timeline(() => 5).at('sound')).toBeUndefined();
});

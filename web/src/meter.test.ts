import { expect, test } from 'vitest';
import { barLevel, rootMeanSquare } from './meter';

test('loudness is the root of the mean square, whatever the sign', () => {
  expect(rootMeanSquare(Float32Array.of(0.5, -0.5, 0.5, -0.5))).toBeCloseTo(0.5);
});

test('no samples are silence, not NaN', () => {
  expect(rootMeanSquare(new Float32Array())).toBe(0);
});

test.each([
  [0, 0],
  [0.001, 0],
  [0.0316, 0.5],
  [1, 1],
  [4, 1],
])('a loudness of %f fills %f of the bar', (rms, level) => {
  expect(barLevel(rms)).toBeCloseTo(level, 2);
});

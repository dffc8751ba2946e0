import { expect, test } from 'vitest';
import { type Bracket, bracketsOf, fit } from './clocks';
import { toServerRoom } from './room';

/** LiveKit's clock when Join was pressed, in these tests. */
const JOIN_AT = Date.parse('2026-11-22T22:50:00.000Z');
const bracket = (at: number, from: number, to: number): Bracket => ({ at: JOIN_AT + at, from, to });
const events = (...said: [at: number, event: string, identity?: string][]) =>
  toServerRoom({
    timeline: said.map(([at, event, participant_identity]) => ({
      at: new Date(JOIN_AT + at).toISOString(),
      event,
      participant_identity,
    })),
  }).events;
const marks = (ms: Record<string, number>) => ({ at: (step: string) => ms[step] });

test('a token that was issued within 60 ms tells when Join was pressed to within 30', () => {
  expect(fit([bracket(40, 0, 60)])).toEqual({ joinAt: JOIN_AT + 10, withinMs: 30 });
});

test('each further event that both have seen can only make it more exact', () => {
  const token = bracket(40, 0, 60);
  const agent = bracket(690, -Infinity, 680);

  expect([fit([token])?.withinMs, fit([token, agent])?.withinMs]).toEqual([30, 15]);
});

test('an event that contradicts the more trusted ones is left out', () => {
  const token = bracket(40, 0, 60);

  expect(fit([token, bracket(5_000, 60, 300)])).toEqual(fit([token]));
});

test.each<[string, Bracket[]]>([
  ['nothing', []],
  ['only an end', [bracket(690, -Infinity, 700)]],
])('with %s in common nothing is claimed', (_, brackets) => {
  expect(fit(brackets)).toBeUndefined();
});

test('with a fixed identity the newest token is this call’s, and what is older is not', () => {
  const seen = events(
    [-9_000, 'token_issued', 'alice'],
    [-8_900, 'joined', 'alice'],
    [-8_500, 'agent_joined'],
    [30, 'token_issued', 'alice'],
    [200, 'joined', 'alice'],
    [500, 'agent_joined'],
  );

  expect(bracketsOf(marks({ token: 40, connected: 250, agent: 520 }), seen, 'alice')).toEqual([
    bracket(30, 0, 40),
    bracket(200, 40, 250),
    bracket(500, -Infinity, 520),
  ]);
});

test('what others did says nothing of this browser', () => {
  const seen = events([30, 'token_issued', 'bob'], [200, 'joined', 'bob'], [300, 'agent_joined']);

  expect(bracketsOf(marks({ token: 40, connected: 250, agent: 520 }), seen, 'alice')).toEqual([]);
});

import { expect, test } from 'vitest';
import { toServerRoom } from './room';
import { mergeRows, type Row } from './rows';
import type { Turn } from './timeline';

const JOIN_AT = Date.parse('2026-11-22T22:50:00.000Z');
type Said = [at: number, event: string, more?: Record<string, string>];
const events = (...said: Said[]) =>
  toServerRoom({
    timeline: said.map(([at, event, more]) => ({
      at: new Date(JOIN_AT + at).toISOString(),
      event,
      ...more,
    })),
  }).events;
const alice = { participant_identity: 'alice' };
const token = { participantIdentity: 'alice', agentName: 'voice-agent' };
const timeline = (ms: Record<string, number>, turns: { turn: Turn; ms: number }[] = []) => ({
  at: (step: string) => ms[step],
  turns,
});
const words = (rows: Row[]) => rows.map(({ by, what }) => `${by} ${what}`);
const A_JOIN = { token: 40, connected: 250, agent: 600, audio: 700, sound: 800 };
const ISSUED: Said = [20, 'token_issued', alice];

test('both are in the order of what happened, as far as their clocks can be laid over each other', () => {
  const seen = events([10, 'room_ready'], ISSUED, [150, 'joined', alice], [500, 'agent_joined']);

  expect(words(mergeRows(timeline(A_JOIN), seen, token).rows)).toEqual([
    'server room_ready',
    'server token_issued',
    'browser token',
    'server joined',
    'browser connected',
    'server agent_joined',
    'browser agent',
    'browser audio',
    'browser sound',
  ]);
});

test('what has not happened comes last, in the order in which it will', () => {
  const { rows } = mergeRows(timeline({ token: 40 }), events(ISSUED, [99, 'joined']), token);

  expect(words(rows)).toEqual([
    'server token_issued',
    'browser token',
    'server joined',
    'browser connected',
    'browser agent',
    'browser audio',
    'browser sound',
  ]);
});

test('an earlier call in the same room is counted, not shown', () => {
  const seen = events([-9_000, 'room_ready'], [-8_000, 'agent_joined'], ISSUED);

  const { rows, earlier } = mergeRows(timeline(A_JOIN), seen, token);

  expect([earlier, rows.filter(({ by }) => by === 'server')]).toMatchObject([
    2,
    [{ what: 'token_issued' }],
  ]);
});

test('without a common event the server’s times have no place on the axis', () => {
  const { rows, fit } = mergeRows(timeline(A_JOIN), events([500, 'agent_joined']), token);

  expect([rows.some(({ by }) => by === 'server'), fit]).toEqual([false, undefined]);
});

test('the same again and again is one row with its first time', () => {
  const look: Record<string, string> = { reason: 'followed' };
  const seen = events(ISSUED, [900, 'looked_at', look], [990, 'looked_at', look]);

  const { rows } = mergeRows(timeline(A_JOIN), seen, token);

  expect(rows.find(({ what }) => what === 'looked_at')).toMatchObject({ times: 2, ms: 900 });
});

test('the reason of a look is not said again by the dispatch that follows from it', () => {
  const why = { agent_name: 'voice-agent', reason: 'a human waits' };
  const seen = events(ISSUED, [900, 'looked_at', why], [910, 'dispatched', why]);

  const { rows } = mergeRows(timeline(A_JOIN), seen, token);

  expect(rows.slice(-2).map(({ detail }) => detail)).toEqual(['a human waits', 'voice-agent']);
});

test('LiveKit’s own dispatch is shown where an agent without a name is wanted, and only there', () => {
  const seen = events(ISSUED, [30, 'dispatched', { agent_name: '' }]);
  const dispatched = (agentName: string) =>
    mergeRows(timeline(A_JOIN), seen, { ...token, agentName }).rows.some(
      ({ what }) => what === 'dispatched',
    );

  expect([dispatched(''), dispatched('voice-agent')]).toEqual([true, false]);
});

test('a room that waits for an hour does not make a page of thousand lines', () => {
  const again = Array.from({ length: 999 }, (_, index): Said => {
    return [1_000 + index, index % 2 ? 'dispatched_again' : 'dispatch_deleted'];
  });

  const { rows } = mergeRows(timeline(A_JOIN), events(ISSUED, ...again), token);

  expect(rows.length).toBe(31);
  expect(rows.find(({ what }) => what === 'more')?.times).toBe(999 + 6 - 30);
});

test('who it was, why and how it ended are told', () => {
  const seen = events(
    ISSUED,
    [100, 'joined', alice],
    [110, 'joined', { participant_identity: 'bob' }],
    [115, 'dispatched', { agent_name: '' }],
    [120, 'dispatched', { agent_name: 'voice-agent', reason: 'a human waits' }],
    [500, 'agent_joined', { participant_identity: 'agent-x', agent_name: 'voice-agent' }],
    [550, 'first_track', alice],
  );

  const { rows } = mergeRows(timeline(A_JOIN), seen, token);

  expect(rows.filter(({ by }) => by === 'server').map(({ detail }) => detail)).toEqual([
    '',
    'you',
    'bob',
    'a human waits',
    'voice-agent',
    'you',
  ]);
});

test('a connection that was lost and is back is on the axis too', () => {
  const turns = [
    { turn: 'lost', ms: 5_000 },
    { turn: 'back', ms: 7_000 },
  ] as const;

  expect(words(mergeRows(timeline(A_JOIN, [...turns]), [], token).rows.slice(-2))).toEqual([
    'browser lost',
    'browser back',
  ]);
});

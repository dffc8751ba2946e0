import { expect, test } from 'vitest';
import type { Row } from './rows';
import type { Look } from './watch';
import { agentWordsOf, labelOf, millisecondsOf, noteOf, statusOf } from './words';

const look = (more: Partial<Look>) =>
  ({ stage: 'no-agent', stageMs: 2_000, isPlaybackBlocked: false, ...more }) as Look;
const row = (what: string, more: Partial<Row> = {}): Row => ({
  by: 'server',
  what,
  detail: '',
  agentName: 'voice-agent',
  ms: 7,
  times: 1,
  ...more,
});

test.each<[Row[], string]>([
  [[], 'Waiting for the agent'],
  [[row('dispatched')], 'no worker has taken the job'],
  [[row('dispatched'), row('job_taken')], 'on its way'],
  [[row('job_taken'), row('dispatched_again'), row('looked_at')], 'once more'],
  [[row('dispatched', { agentName: '' })], 'Waiting for the agent'],
])('who waits is told how far the agent is', (rows, words) => {
  expect(statusOf(look({}), rows, 'voice-agent')).toContain(words);
});

test('the line does not flicker while all goes well', () => {
  const young = look({ stageMs: 400 });

  expect(statusOf(young, [row('job_taken')], 'voice-agent')).toBe(statusOf(young, [], ''));
});

test.each<[Partial<Look>, string, string]>([
  [{ stage: 'heard', agents: 1, agentState: 'listening' }, 'listening', 'The agent is here.'],
  [{ stage: 'heard', agents: 1, isReplacing: true }, 'being replaced', 'is being replaced…'],
  [{ stage: 'no-agent', agents: 0, isReplacing: true }, 'being replaced', 'is being replaced…'],
  [{ stage: 'no-agent', agents: 0 }, 'not here', 'Waiting for the agent'],
  [{ stage: 'reconnecting', agents: 1, isReplacing: true }, 'out of reach', 'Connection lost'],
])('an agent that is being replaced is neither here nor missing (%j)', (more, pill, status) => {
  expect(agentWordsOf(look(more))).toBe(pill);
  expect(statusOf(look(more), [], 'voice-agent')).toContain(status);
});

test('an event of a newer server keeps its word', () => {
  expect([labelOf(row('agent_moved')), labelOf(row('looked_at', { times: 3 }))]).toEqual([
    'agent moved',
    'Room looked at × 3',
  ]);
});

test('milliseconds can be read, and a step that has not happened has none', () => {
  expect([0, 999.6, 12_345, 1_234_567, undefined].map(millisecondsOf)).toEqual([
    '0',
    '1\u202f000',
    '12\u202f345',
    '1\u202f234\u202f567',
    '–',
  ]);
});

test('the line under the timeline says how exact it is, or how to see the server’s part', () => {
  const rows = { rows: [], fit: { joinAt: 0, withinMs: 11.2 }, earlier: 2 };

  expect(noteOf(rows, false, 'kitchen')).toMatch(/within 12 ms\. 2 events .*room kitchen`\.$/);
  expect(noteOf({ ...rows, fit: undefined }, true, 'kitchen')).toContain('room kitchen`');
});

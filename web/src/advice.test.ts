import { expect, test } from 'vitest';
import { adviceForLook } from './advice';
import type { Look, Stage } from './watch';

const look = (more: Partial<Look>): Look => ({
  stage: 'heard',
  stageMs: 0,
  agents: 1,
  hadAgent: true,
  agentName: 'voice-agent',
  agentState: 'listening',
  isReplacing: false,
  agentRms: 0,
  loudestAgentRms: 0,
  microphoneRms: 0,
  microphone: 'on',
  isPlaybackBlocked: false,
  ...more,
});
const known = {
  roomName: 'room-7k2f',
  wantedAgent: 'voice-agent',
  server: undefined,
  isServerTelling: false,
};
const titles = (more: Partial<Look>) => adviceForLook(look(more), known).map(({ title }) => title);

test.each<Stage>(['token', 'connecting', 'reconnecting', 'no-agent', 'no-audio', 'no-sound'])(
  'nothing is said about %s as long as it is young: words that come and go only worry',
  (stage) => {
    expect(titles({ stage, stageMs: 1_500 })).toEqual([]);
  },
);

test.each<[Stage, string]>([
  ['connecting', 'LiveKit takes its time'],
  ['reconnecting', 'The connection is lost'],
  ['no-audio', 'The agent is here but has no voice yet'],
  ['no-sound', 'The agent is quiet'],
])('a slow %s is named', (stage, title) => {
  expect(titles({ stage, stageMs: 20_000 })).toEqual([title]);
});

test('an agent that never came is told apart from one that left', () => {
  const slow = { stage: 'no-agent', stageMs: 6_000 } as const;

  expect([titles({ ...slow, hadAgent: false }), titles({ ...slow, hadAgent: true })]).toEqual([
    ['The agent has not come yet'],
    ['The agent left and has not come back'],
  ]);
});

test('an agent is not called quiet when it is the browser that plays nothing', () => {
  expect(titles({ stage: 'no-sound', stageMs: 20_000, isPlaybackBlocked: true })).toEqual([]);
});

test('a second agent is said at once: it is what this server is there to prevent', () => {
  expect(titles({ agents: 2 })).toEqual(['2 agents are in the room']);
});

test('what the server has found out is said at once: agents that fail one after the other are away for moments', () => {
  const server = { cause: 'agent-failing', evidence: '5 have failed.', cure: 'Read its log.' };
  const short = look({ stage: 'no-agent', stageMs: 500 });

  const advice = adviceForLook(short, { ...known, server });

  expect(advice.map(({ cure }) => cure)).toEqual(['Read its log.']);
});

test('what the server has found out goes before guesses', () => {
  const server = { cause: 'no-worker', evidence: 'No worker took it.', cure: 'Start the worker.' };
  const slow = look({ stage: 'no-agent', stageMs: 6_000, hadAgent: false });

  expect(adviceForLook(slow, { ...known, server })).toEqual([
    {
      tone: 'warning',
      title: 'The agent has not come yet',
      text: 'No worker took it. (`no-worker` in docs/doctor.md)',
      cure: 'Start the worker.',
    },
  ]);
});

test('without the server’s words the usual causes are named, each with what to do', () => {
  const [advice] = adviceForLook(look({ stage: 'no-agent', stageMs: 6_000 }), known);

  expect(advice?.checks).toHaveLength(6);
  expect(advice?.checks?.join()).toContain('`voice-agent`');
  expect(advice?.cure).toContain('`token-server doctor`');
});

test('a server that will tell in a moment is waited for: two answers in a row only confuse', () => {
  const titlesAt = (stageMs: number) =>
    adviceForLook(look({ stage: 'no-agent', stageMs }), { ...known, isServerTelling: true });

  expect([titlesAt(6_000).length, titlesAt(9_000).length]).toEqual([0, 1]);
});

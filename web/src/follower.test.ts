import { expect, test } from 'vitest';
import { Follower } from './follower';
import type { Answer } from './room';
import type { Stage } from './watch';

const advice = (evidence: string, cause = 'no-worker') => ({ cause, evidence, cure: 'Start it.' });
const room = (more = {}): Answer => ({
  kind: 'room',
  room: { events: [], advice: undefined, ...more },
});

/** A follower whose clock and server the test plays. */
class Played {
  now = 0;
  asked: number[] = [];
  #answer: ((answer: Answer) => void) | undefined;
  signal: AbortSignal | undefined;
  readonly follower = new Follower(
    'kitchen',
    (_, signal) => {
      this.signal = signal;
      this.asked.push(this.now);
      return new Promise((resolve) => (this.#answer = resolve));
    },
    () => this.now,
  );

  async answer(answer: Answer): Promise<void> {
    this.#answer?.(answer);
    await Promise.resolve();
    await Promise.resolve();
  }

  /** Look each 50 ms for so long; each question is answered at once. */
  async pass(ms: number, stage: Stage, stageMs: number, answer = room()): Promise<void> {
    for (const end = this.now + ms; this.now < end; this.now += 50) {
      this.follower.look({ stage, stageMs });
      await this.answer(answer);
    }
  }
}

test('while the agent is awaited the server is asked each second', async () => {
  const played = new Played();
  await played.pass(3_000, 'no-agent', 0);

  expect(played.asked).toEqual([0, 1_000, 2_000]);
});

test('once the call goes well it is asked each ten seconds', async () => {
  const played = new Played();
  await played.pass(25_000, 'heard', 9_000);

  expect(played.asked).toEqual([0, 10_000, 20_000]);
});

test('a new stage is worth a question soon', async () => {
  const played = new Played();
  await played.pass(100, 'no-agent', 0);
  await played.pass(900, 'heard', 0);

  expect(played.asked).toEqual([0, 250]);
});

test.each<Stage>(['token', 'ended'])('in stage %s nothing is asked', async (stage) => {
  const played = new Played();
  await played.pass(5_000, stage, 0);

  expect(played.asked).toEqual([]);
});

test('a server that is slow is asked one question at a time, and none is left when the call ends', () => {
  const played = new Played();
  for (; played.now < 9_000; played.now += 50)
    played.follower.look({ stage: 'no-agent', stageMs: 0 });
  played.follower.look({ stage: 'ended', stageMs: 0 });

  expect([played.asked.length, played.signal?.aborted]).toEqual([1, true]);
});

test('a server that keeps the room to its operator is not asked again', async () => {
  const played = new Played();
  await played.pass(5_000, 'no-agent', 0, { kind: 'closed' });

  expect([played.asked.length, played.follower.isClosed]).toEqual([1, true]);
});

test('a server that fails is asked ever more rarely, and its last answer is kept', async () => {
  const played = new Played();
  await played.pass(50, 'no-agent', 0, room({ advice: advice('nobody') }));
  await played.pass(30_000, 'no-agent', 0, { kind: 'nothing' });

  expect(played.asked).toEqual([0, 1_000, 3_000, 7_000, 15_000, 23_000]);
  expect(played.follower.room?.advice?.evidence).toBe('nobody');
});

test('the words about a cause stay while it is the same: seconds that count are not read out', async () => {
  const played = new Played();
  const evidences = [];
  for (const said of [advice('for 6 s'), advice('for 7 s'), advice('full', 'worker-full')]) {
    await played.pass(1_000, 'no-agent', 0, room({ advice: said }));
    evidences.push(played.follower.room?.advice?.evidence);
  }

  expect(evidences).toEqual(['for 6 s', 'for 6 s', 'full']);
});

/** Keeps what the server says of one room fresh: one question at a time, never faster than needed. */

import { type Answer, askForRoom, type ServerRoom } from './room';
import type { Look, Stage } from './watch';

/** Milliseconds between two questions, by stage; the others ask nothing. */
const PACE_MS: Partial<Record<Stage, number>> = {
  connecting: 1_000,
  reconnecting: 1_000,
  'no-agent': 1_000,
  'no-audio': 1_000,
  'no-sound': 1_000,
  heard: 10_000,
};
/** The last events of a join reach the server a moment after the page has heard the agent. */
const SETTLES_MS = 3_000;
/** A new stage asks at once, but not sooner than this after the last question. */
const HASTE_MS = 250;
/** So many failures in a row slow it down to a question each 8 paces. */
const MAX_FAILURES = 3;

export class Follower {
  /** The last answer; undefined before the first. */
  room: ServerRoom | undefined;
  /** The server shows it to the operator only: there will be no further question. */
  isClosed = false;
  readonly #roomName: string;
  readonly #ask: (roomName: string, signal: AbortSignal) => Promise<Answer>;
  readonly #now: () => number;
  readonly #stop = new AbortController();
  #isAsking = false;
  #askedAt = -Infinity;
  #askedIn: Stage | undefined;
  #failures = 0;

  constructor(roomName: string, ask = askForRoom, now = () => performance.now()) {
    this.#roomName = roomName;
    this.#ask = ask;
    this.#now = now;
  }

  /** Ask, if it is time. */
  look({ stage, stageMs }: Pick<Look, 'stage' | 'stageMs'>): void {
    if (stage === 'ended') this.#stop.abort();
    if (this.isClosed || this.#isAsking || this.#now() < this.#nextAt(stage, stageMs)) return;
    this.#askedAt = this.#now();
    this.#askedIn = stage;
    void this.#learn();
  }

  #nextAt(stage: Stage, stageMs: number): number {
    const isSettling = stage === 'heard' && stageMs < SETTLES_MS;
    const pace = isSettling ? 1_000 : PACE_MS[stage];
    if (!pace) return Infinity;
    if (stage !== this.#askedIn && !this.#failures) return this.#askedAt + HASTE_MS;
    return this.#askedAt + pace * 2 ** this.#failures;
  }

  async #learn(): Promise<void> {
    this.#isAsking = true;
    const answer = await this.#ask(this.#roomName, this.#stop.signal);
    this.#isAsking = false;
    this.#failures = answer.kind === 'nothing' ? Math.min(this.#failures + 1, MAX_FAILURES) : 0;
    if (answer.kind === 'room') this.room = keepWords(answer.room, this.room);
    if (answer.kind === 'closed') this.isClosed = true;
  }
}

/** Keep the first words about a cause: only another one is worth saying again. */
function keepWords(room: ServerRoom, before: ServerRoom | undefined): ServerRoom {
  const isSame = before?.advice?.cause === room.advice?.cause;
  return isSame ? { ...room, advice: before?.advice } : room;
}

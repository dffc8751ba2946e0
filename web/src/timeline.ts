/** When each step of a join happened, in milliseconds since Join was pressed. No DOM, no LiveKit. */

export const STEPS = ['token', 'connected', 'agent', 'audio', 'sound'] as const;
export type Step = (typeof STEPS)[number];

/** What happens to a connection later on, and perhaps often. */
export type Turn = 'lost' | 'back';

export class Timeline {
  readonly #now: () => number;
  readonly #start: number;
  readonly #marks = new Map<Step, number>();
  readonly #turns: { turn: Turn; ms: number }[] = [];

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#start = now();
  }

  /** Note that a step happened. Only the first time counts: an agent that comes back is no faster. */
  mark(step: Step): void {
    if (!this.#marks.has(step)) this.#marks.set(step, this.elapsed());
  }

  /** Milliseconds from Join to the step, or undefined as long as it has not happened. */
  at(step: Step): number | undefined {
    return this.#marks.get(step);
  }

  /** Note that the connection was lost, or is back. */
  turn(turn: Turn): void {
    this.#turns.push({ turn, ms: this.elapsed() });
  }

  get turns(): readonly { turn: Turn; ms: number }[] {
    return this.#turns;
  }

  /** Milliseconds since Join was pressed. */
  elapsed(): number {
    return this.#now() - this.#start;
  }

  /** All steps that happened, as whole milliseconds. */
  toJSON(): Partial<Record<Step, number>> {
    return Object.fromEntries([...this.#marks].map(([step, ms]) => [step, Math.round(ms)]));
  }
}

/** Lays the server's clock over the browser's, by what both have seen. No I/O. */

import type { ServerEvent } from './room';
import type { Timeline } from './timeline';

/** A moment by LiveKit's clock that lies between two moments of the browser's. */
export interface Bracket {
  /** LiveKit's clock, milliseconds since 1970. */
  at: number;
  /** Milliseconds since Join; -Infinity where nothing is known to come before. */
  from: number;
  to: number;
}

export interface Fit {
  /** What LiveKit's clock showed when Join was pressed, milliseconds since 1970. */
  joinAt: number;
  /** How far off that may be, milliseconds. */
  withinMs: number;
}

/**
 * Find the moment of Join that agrees with all brackets. One that contradicts those before it is
 * left out: the first are to be trusted most. Without one that has both ends nothing is known.
 */
export function fit(brackets: Bracket[]): Fit | undefined {
  let [earliest, latest] = [-Infinity, Infinity];
  for (const { at, from, to } of brackets) {
    const narrower = [Math.max(earliest, at - to), Math.min(latest, at - from)] as const;
    if (narrower[0] <= narrower[1]) [earliest, latest] = narrower;
  }
  const joinAt = (earliest + latest) / 2;
  return Number.isFinite(joinAt) ? { joinAt, withinMs: (latest - earliest) / 2 } : undefined;
}

/** What server and browser have both seen of this join, the most trusted first. */
export function bracketsOf(
  timeline: Pick<Timeline, 'at'>,
  events: ServerEvent[],
  participantIdentity: string,
): Bracket[] {
  const isMine = (event: ServerEvent) => event.participantIdentity === participantIdentity;
  // With a fixed identity there may be earlier calls; the newest token is this one's.
  const issued = events.findLast((event) => event.event === 'token_issued' && isMine(event));
  const since = events.slice(issued ? events.indexOf(issued) : 0);
  const joined = since.find((event) => event.event === 'joined' && isMine(event));
  const agentJoined = issued && since.find(({ event }) => event === 'agent_joined');
  const token = timeline.at('token');
  return [
    // The server signs the token between the browser's request and its answer …
    bracket(issued, 0, token),
    // … and whatever the browser sees has happened at LiveKit before. (Not so the times of tracks:
    // they are those of the webhooks, which may come after the sound.)
    bracket(joined, token ?? 0, timeline.at('connected')),
    bracket(agentJoined, -Infinity, timeline.at('agent')),
  ].filter((one) => one !== undefined);
}

const bracket = (event: ServerEvent | undefined, from: number, to: number | undefined) =>
  event && to !== undefined ? { at: event.at, from, to } : undefined;

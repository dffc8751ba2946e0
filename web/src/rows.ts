/** The browser's steps and the server's events on one axis: milliseconds since Join. No DOM. */

import { bracketsOf, type Fit, fit } from './clocks';
import type { ServerEvent } from './room';
import { STEPS, type Step, type Timeline } from './timeline';
import type { Token } from './token';

/** Who has joined, and the agent that is wanted; nobody before there is a token. */
type Joining = Pick<Token, 'participantIdentity' | 'agentName'> | undefined;

export interface Row {
  /** Who has seen it. */
  by: 'browser' | 'server';
  /** A step, a turn or a server's event. */
  what: string;
  /** Whose, which or why; empty for nothing. */
  detail: string;
  /** The agent that it concerns; empty for none, and for one without a name. */
  agentName: string;
  /** Milliseconds since Join; undefined as long as it has not happened. */
  ms: number | undefined;
  /** How often it happened in a row. */
  times: number;
}

export interface Rows {
  /** In the order of their times, then what is still to come. */
  rows: Row[];
  /** How well the server's times fit the browser's, if there are any. */
  fit: Fit | undefined;
  /** How many of the server's events are from before Join, and are not shown. */
  earlier: number;
}

/** More rows than this are not read by anybody: the middle is left out. */
const MOST = 30;

/** Merge both. Without a common event nothing tells where the server's belong: they are left out. */
export function mergeRows(
  timeline: Pick<Timeline, 'at' | 'turns'>,
  events: ServerEvent[],
  token: Joining,
): Rows {
  const fitted = fit(bracketsOf(timeline, events, token?.participantIdentity ?? ''));
  const server = fitted ? serverRows(events, fitted, token) : [];
  const since = server.filter(({ ms = 0 }) => ms >= 0);
  const steps = STEPS.map((step) => browserRow(step, timeline.at(step)));
  const turns = timeline.turns.map(({ turn, ms }) => browserRow(turn, ms));
  const happened = [...since, ...steps.filter(({ ms }) => ms !== undefined), ...turns];
  happened.sort((one, other) => (one.ms ?? 0) - (other.ms ?? 0));
  return {
    rows: [...shorten(collapse(happened)), ...steps.filter(({ ms }) => ms === undefined)],
    fit: fitted,
    earlier: server.length - since.length,
  };
}

function browserRow(what: Step | 'lost' | 'back', ms: number | undefined): Row {
  return { by: 'browser', what, detail: '', agentName: '', ms, times: 1 };
}

function serverRows(events: ServerEvent[], { joinAt }: Fit, token: Joining): Row[] {
  // A room that is made without agents has one dispatch, by LiveKit, to whoever has no name.
  const isOfNobody = ({ event, agentName, reason }: ServerEvent) =>
    event === 'dispatched' && !agentName && !reason && token?.agentName;
  return events
    .filter((event) => !isOfNobody(event))
    .map((event) => ({
      by: 'server',
      what: event.event,
      detail: detailOf(event, token?.participantIdentity ?? ''),
      agentName: event.agentName,
      ms: event.at - joinAt,
      times: 1,
    }));
}

const ABOUT_AN_AGENT = /^agent_|^dispatch|^job_|^first_track$/;

/** Why it was done, or how it ended, or who it was. */
function detailOf(event: ServerEvent, participantIdentity: string): string {
  const { reason, outcome, agentName } = event;
  if (reason || outcome) return reason || outcome;
  if (agentName && ABOUT_AN_AGENT.test(event.event)) return agentName;
  if (event.participantIdentity !== participantIdentity) return event.participantIdentity;
  return event.event === 'token_issued' ? '' : 'you';
}

/** Make one row of the same again and again, and say a reason once: the look's is the dispatch's. */
function collapse(rows: Row[]): Row[] {
  const collapsed: Row[] = [];
  for (const row of rows) {
    const last = collapsed.at(-1);
    const isSameReason = last?.by === row.by && last.detail === row.detail;
    if (last && isSameReason && last.what === row.what) last.times += 1;
    else if (isSameReason && row.what.startsWith('dispatch'))
      collapsed.push({ ...row, detail: row.agentName });
    else collapsed.push(row);
  }
  return collapsed;
}

function shorten(rows: Row[]): Row[] {
  if (rows.length <= MOST) return rows;
  const left = rows.slice(MOST / 2, -MOST / 2);
  const gap = { what: 'more', detail: '', agentName: '', ms: left[0]?.ms, times: left.length };
  return [...rows.slice(0, MOST / 2), { by: 'server', ...gap }, ...rows.slice(-MOST / 2)];
}

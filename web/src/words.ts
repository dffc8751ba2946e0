/** What the page calls things: the status line, and the rows of the timeline. Words only, no DOM. */

import type { Row, Rows } from './rows';
import type { Look } from './watch';

const STATUS: Record<Look['stage'], string> = {
  token: 'Asking for a token…',
  connecting: 'Connecting to LiveKit…',
  reconnecting: 'Connection lost. Trying to come back…',
  'no-agent': 'You are in the room. Waiting for the agent…',
  'no-audio': 'The agent is in the room. Waiting for its voice…',
  'no-sound': 'The agent is connected and quiet so far.',
  heard: 'The agent is here.',
  ended: 'You are not in the room.',
};

const REPLACING = 'You are in the room. The agent has stopped answering and is being replaced…';

/** Who waits this long, in milliseconds, wants to know for what; before that it would flicker. */
const CURIOUS_MS = 1_500;

/** How far the agent is, by the last of these that the server has seen. */
const ON_ITS_WAY: Record<string, string> = {
  dispatched: 'You are in the room. The agent was sent for, and no worker has taken the job yet…',
  dispatched_again:
    'You are in the room. The agent was sent for once more, and no worker has taken the job yet…',
  job_taken: 'You are in the room. A worker has taken the job; the agent is on its way…',
};

/** The line that says how far the call is, and that a screen reader reads out when it changes. */
export function statusOf(look: Look, rows: Row[], wantedAgent: string): string {
  if (look.isPlaybackBlocked) return 'The browser waits for your click to play sound.';
  if (look.isReplacing && look.stage !== 'reconnecting') return REPLACING;
  if (look.stage !== 'no-agent' || look.stageMs < CURIOUS_MS) return STATUS[look.stage];
  const last = rows.findLast(
    ({ by, what, agentName }) => by === 'server' && agentName === wantedAgent && what in ON_ITS_WAY,
  );
  return (last && ON_ITS_WAY[last.what]) ?? STATUS['no-agent'];
}

/** What the agent does, in a word or two. */
export function agentWordsOf({ stage, agents, agentState, isReplacing }: Look): string {
  if (stage === 'reconnecting') return 'out of reach';
  if (isReplacing) return 'being replaced';
  return agents ? agentState : 'not here';
}

const BROWSER: Record<string, string> = {
  token: 'Token',
  connected: 'Connected',
  agent: 'Agent in the room',
  audio: 'Agent’s audio track',
  sound: 'First sound',
  lost: 'Connection lost',
  back: 'Connected again',
};

const SERVER: Record<string, string> = {
  room_ready: 'Room ready',
  token_issued: 'Token issued',
  joined: 'Joined',
  looked_at: 'Room looked at',
  dispatched: 'Dispatched',
  dispatched_again: 'Dispatched again',
  dispatch_deleted: 'Dispatch deleted',
  job_taken: 'Job taken',
  agent_joined: 'Agent joined',
  first_track: 'First track',
  left: 'Left',
  agent_left: 'Agent left',
  agent_removed: 'Agent removed',
  released: 'Released',
  room_ended: 'Room ended',
};

/** What a row says; an event that this page does not know keeps the server's word. */
export function labelOf({ by, what, times }: Row): string {
  if (what === 'more') return `… ${times} more`;
  const words = by === 'browser' ? BROWSER : SERVER;
  const label = words[what] ?? what.replaceAll('_', ' ');
  return times > 1 ? `${label} × ${times}` : label;
}

/** Milliseconds as people read them: `12 345`. */
export function millisecondsOf(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return ms.toFixed(0).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** What to know of the server's rows; text between backticks is shown as code. */
export function noteOf({ fit, earlier }: Rows, isClosed: boolean, roomName: string): string {
  const inTerminal = `\`token-server room ${roomName}\``;
  if (isClosed) return `What the server did is for its operator: ${inTerminal} shows it.`;
  if (!fit) return '';
  const clock = `The server’s rows go by LiveKit’s clock, laid over this browser’s to within ${Math.max(1, Math.ceil(fit.withinMs))} ms.`;
  if (!earlier) return clock;
  const events = earlier === 1 ? '1 event is' : `${earlier} events are`;
  return `${clock} ${events} from before you joined: ${inTerminal}.`;
}

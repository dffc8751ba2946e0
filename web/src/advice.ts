/** What to say about a call that does not go as it should, and what to look at. Words only, no DOM. */

import type { ServerAdvice } from './room';
import type { Look, Stage } from './watch';

export interface Advice {
  tone: 'error' | 'warning';
  title: string;
  /** Text between backticks is shown as code. */
  text: string;
  checks?: string[];
  /** What to do about it. */
  cure?: string;
}

/** What is known besides what the page sees. */
export interface Known {
  roomName: string;
  /** The agent that the token names; empty for one without a name. */
  wantedAgent: string;
  /** What the server has found out; undefined as long as it has not, or does not tell. */
  server: ServerAdvice | undefined;
  /** Whether the server tells what it finds out: its words are then worth waiting for. */
  isServerTelling: boolean;
}

/** How long a stage may last before we say something, in milliseconds. */
const PATIENCE_MS: Partial<Record<Stage, number>> = {
  connecting: 8_000,
  reconnecting: 2_000,
  'no-agent': 5_000,
  'no-audio': 5_000,
  'no-sound': 12_000,
};

/** The server takes its 5 s too, and is asked each second: its words would replace ours at once. */
const PATIENCE_WITH_SERVER_MS = 9_000;

/** Whatever there is to say about a call that goes on, most important first. */
export function adviceForLook(look: Look, known: Known): Advice[] {
  // The server has waited before it says anything; an agent that fails and fails is never away for long.
  const isKnown = look.stage === 'no-agent' && known.server !== undefined;
  const isSlow = isKnown || look.stageMs >= (PATIENCE_MS[look.stage] ?? Infinity);
  const advice = isSlow ? adviceForSlowStage(look, known) : undefined;
  const more = look.agents > 1 ? [tooManyAgents(look.agents)] : [];
  return advice ? [advice, ...more] : more;
}

function adviceForSlowStage(look: Look, known: Known): Advice | undefined {
  switch (look.stage) {
    case 'no-agent':
      return noAgent(look, known);
    case 'no-audio':
      return noAudio(look.agentName);
    case 'no-sound':
      return look.isPlaybackBlocked ? undefined : noSound(look.agentName);
    case 'connecting':
    case 'reconnecting':
      return slowConnection(look.stage);
    default:
      return undefined;
  }
}

function noAgent({ hadAgent, stageMs }: Look, known: Known): Advice | undefined {
  if (!known.server && known.isServerTelling && stageMs < PATIENCE_WITH_SERVER_MS) return undefined;
  const title = hadAgent ? 'The agent left and has not come back' : 'The agent has not come yet';
  const advice = known.server ? serversWords(known.server) : likelyCauses(known);
  return { tone: 'warning', title, ...advice };
}

const serversWords = ({ cause, evidence, cure }: ServerAdvice) => ({
  text: `${evidence} (\`${cause}\` in docs/doctor.md)`,
  cure,
});

/** The causes and cures of `token-server doctor` (token_server/keeper/absence_reasons.py), likeliest first. */
const likelyCauses = ({ roomName, wantedAgent }: Known) => ({
  text: 'The page keeps waiting. These are the usual causes:',
  checks: [
    `No free worker is registered as ${nameOf(wantedAgent)}: start it; its log then says \`registered worker\`.`,
    'The worker has another name, or none: one `LIVEKIT_AGENT_NAME` for both processes.',
    'The worker is at its load limit: start another, or raise `LIVEKIT_AGENT_MAX_JOBS`.',
    'The worker is connected to another server or project: the same `LIVEKIT_URL`, `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET` for both.',
    `A worker takes the job, and it dies: read the lines of its log that name the room, \`${roomName}\`.`,
    'The token server did not send for it: its log has `Room ready` and `CreateDispatch` for this room.',
  ],
  cure: 'Run `token-server doctor` with the server’s settings: it names the cause.',
});

const nameOf = (agentName: string) => (agentName ? `\`${agentName}\`` : 'an agent without a name');

const noAudio = (agentName: string): Advice => ({
  tone: 'warning',
  title: 'The agent is here but has no voice yet',
  text: `\`${agentName}\` joined and publishes nothing.`,
  cure: 'Read the worker’s log for this room: the agent must publish an audio track.',
});

const noSound = (agentName: string): Advice => ({
  tone: 'warning',
  title: 'The agent is quiet',
  text: `\`${agentName}\` has an audio track and has sent only silence.`,
  cure: 'Say something: it may wait for you to speak first.',
});

const tooManyAgents = (agents: number): Advice => ({
  tone: 'warning',
  title: `${agents} agents are in the room`,
  text: 'There should be one. Either another name was asked for too, or the second leaves in a moment.',
});

const slowConnection = (stage: Stage): Advice => ({
  tone: 'warning',
  title: stage === 'connecting' ? 'LiveKit takes its time' : 'The connection is lost',
  text:
    stage === 'connecting'
      ? 'A firewall between this browser and LiveKit is the most common reason. Still trying.'
      : 'LiveKit has stopped, or the network has. The page tries again by itself for about a minute.',
});

/** What to say about a call that does not go as it should, and what to look at. Words only, no DOM. */

import type { Look, Stage } from './watch';

export interface Advice {
  tone: 'error' | 'warning';
  title: string;
  /** Text between backticks is shown as code. */
  text: string;
  checks?: string[];
}

/** How long a stage may last before we say something, in milliseconds. */
const PATIENCE_MS: Partial<Record<Stage, number>> = {
  connecting: 8_000,
  reconnecting: 2_000,
  'no-agent': 5_000,
  'no-audio': 5_000,
  'no-sound': 12_000,
};

/** Whatever there is to say about a call that goes on, most important first. */
export function adviceForLook(look: Look, roomName: string): Advice[] {
  const isSlow = look.stageMs >= (PATIENCE_MS[look.stage] ?? Infinity);
  const advice = isSlow ? adviceForSlowStage(look, roomName) : undefined;
  const more = look.agents > 1 ? [tooManyAgents(look.agents)] : [];
  return advice ? [advice, ...more] : more;
}

function adviceForSlowStage(look: Look, roomName: string): Advice | undefined {
  switch (look.stage) {
    case 'no-agent':
      return look.hadAgent ? agentLeft(roomName) : noAgent(roomName);
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

const whereToLook = (roomName: string) => [
  'Is a worker running? Its log says `registered worker` once LiveKit knows it.',
  'Do the web process and the worker have the same `LIVEKIT_AGENT_NAME`?',
  'Is the worker full? It takes `LIVEKIT_AGENT_MAX_JOBS` calls at a time.',
  `Does the web log have a \`Room ready\` line for \`${roomName}\`?`,
  'Do both processes have the same `LIVEKIT_URL` and key?',
];

const noAgent = (roomName: string): Advice => ({
  tone: 'warning',
  title: 'The agent has not come yet',
  text: 'You are in the room, the agent is not. The page keeps waiting; meanwhile, look at this:',
  checks: whereToLook(roomName),
});

const agentLeft = (roomName: string): Advice => ({
  tone: 'warning',
  title: 'The agent left and has not come back',
  text: 'It was here. The worker’s log says why it went: a crash, a restart, or a removal.',
  checks: whereToLook(roomName),
});

const noAudio = (agentName: string): Advice => ({
  tone: 'warning',
  title: 'The agent is here but has no voice yet',
  text: `\`${agentName}\` is in the room and has not published an audio track. See the worker’s log.`,
});

const noSound = (agentName: string): Advice => ({
  tone: 'warning',
  title: 'The agent is quiet',
  text: `\`${agentName}\` has an audio track and has sent only silence. Say something to it.`,
});

const tooManyAgents = (agents: number): Advice => ({
  tone: 'warning',
  title: `${agents} agents are in the room`,
  text: 'There should be one. Either another name was asked for too, or the second leaves in a moment.',
});

const slowConnection = (stage: Stage): Advice => ({
  tone: 'warning',
  title: stage === 'connecting' ? 'LiveKit takes its time' : 'The connection is lost',
  text: 'A firewall between this browser and LiveKit is the most common reason. Still trying.',
});

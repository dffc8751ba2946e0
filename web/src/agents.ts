/** Which participants are agents, and what they say about themselves. */

import type { RemoteParticipant, Room } from 'livekit-client';

/** Set by livekit-agents; empty or missing for a worker without a name (livekit-behaviour 41). */
const NAME = 'lk.agent.name';
/** Set by livekit-agents on what only speaks for an agent: an avatar (livekit-behaviour 48). */
const ON_BEHALF = 'lk.publish_on_behalf';
/** Set by the agent itself. */
const STATE = 'lk.agent.state';
/** Set by the token server, on the human who waits (docs/frontends.md). */
const WANTED_AGENT = 'token_server.agent';

const STATE_WORDS: Record<string, string> = {
  initializing: 'getting ready',
  idle: 'idle',
  listening: 'listening',
  thinking: 'thinking',
  speaking: 'speaking',
};

/** The agents in a room, those who came first first. */
export function agentsIn(room: Room): RemoteParticipant[] {
  return [...room.remoteParticipants.values()]
    .filter((participant) => participant.isAgent && !participant.attributes[ON_BEHALF])
    .sort((one, other) => (one.joinedAt?.getTime() ?? 0) - (other.joinedAt?.getTime() ?? 0));
}

export function agentName(agent: RemoteParticipant): string {
  return agent.attributes[NAME] || agent.name || agent.identity;
}

/** What the agent says it is doing, in a word. */
export function agentState(agent: RemoteParticipant): string {
  const state = agent.attributes[STATE];
  return state ? (STATE_WORDS[state] ?? state) : 'in the room';
}

/** Whether the token server has found our agent dead, and the next one is not there yet. */
export function isReplacing({ localParticipant }: Pick<Room, 'localParticipant'>): boolean {
  return localParticipant.attributes[WANTED_AGENT] === 'replacing';
}

/** The agent's voice, once we have subscribed to it. */
export function agentAudio(agent: RemoteParticipant): MediaStreamTrack | undefined {
  const publications = [...agent.audioTrackPublications.values()];
  return publications.find((publication) => publication.track)?.track?.mediaStreamTrack;
}

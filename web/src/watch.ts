/** What can be seen of a call at one moment. Looks at the state of things, never at events. */

import { ConnectionState, RoomEvent, Track } from 'livekit-client';
import { agentAudio, agentName, agentsIn, agentState, isReplacing } from './agents';
import type { Call } from './call';
import { AUDIBLE_RMS, Meter } from './meter';

/** How far the call is. Each stage but the last waits for the next. */
export type Stage =
  | 'token'
  | 'connecting'
  | 'reconnecting'
  | 'no-agent'
  | 'no-audio'
  | 'no-sound'
  | 'heard'
  | 'ended';

export type Microphone = 'opening' | 'on' | 'muted' | 'failed';

export interface Look {
  stage: Stage;
  /** Milliseconds that this stage has lasted. */
  stageMs: number;
  agents: number;
  /** Whether an agent has been in the room since Join, though it may have left. */
  hadAgent: boolean;
  agentName: string;
  agentState: string;
  /** The agent does not live, and the next one is not there yet. */
  isReplacing: boolean;
  /** Root mean square of samples in -1 to 1, as are the two below. */
  agentRms: number;
  loudestAgentRms: number;
  microphoneRms: number;
  microphone: Microphone;
  /** The browser plays nothing until somebody clicks. */
  isPlaybackBlocked: boolean;
}

export class Watch {
  readonly #call: Call;
  readonly #context: AudioContext;
  readonly #agentMeter: Meter;
  readonly #microphoneMeter: Meter;
  #loudestAgentRms = 0;
  #stage: Stage = 'token';
  #stageSince = 0;

  constructor(call: Call, context: AudioContext) {
    this.#call = call;
    this.#context = context;
    this.#agentMeter = new Meter(context);
    this.#microphoneMeter = new Meter(context);
    // A look at each event, so that the timeline has its moment and not that of the page's next look.
    call.room
      .on(RoomEvent.ConnectionStateChanged, () => this.look())
      .on(RoomEvent.ParticipantConnected, () => this.look())
      .on(RoomEvent.TrackSubscribed, () => this.look());
  }

  /** See what there is, and note on the timeline what is there for the first time. */
  look(): Look {
    const agents = this.#call.ending ? [] : agentsIn(this.#call.room);
    const agent = agents[0];
    const audio = agent && agentAudio(agent);
    this.#agentMeter.follow(audio);
    const agentRms = this.#agentMeter.rms();
    this.#loudestAgentRms = Math.max(this.#loudestAgentRms, agentRms);
    this.#enter(this.#stageNow(Boolean(agent), Boolean(audio), agentRms > AUDIBLE_RMS));
    return {
      stage: this.#stage,
      stageMs: this.#call.timeline.elapsed() - this.#stageSince,
      agents: agents.length,
      hadAgent: this.#call.timeline.at('agent') !== undefined,
      agentName: agent ? agentName(agent) : '',
      agentState: agent ? agentState(agent) : '',
      isReplacing: !this.#call.ending && isReplacing(this.#call.room),
      agentRms,
      loudestAgentRms: this.#loudestAgentRms,
      microphoneRms: this.#microphoneRms(),
      microphone: this.#microphone(),
      isPlaybackBlocked: Boolean(audio) && this.isPlaybackBlocked,
    };
  }

  #stageNow(hasAgent: boolean, hasAudio: boolean, isAudible: boolean): Stage {
    const { timeline, room, ending } = this.#call;
    if (ending) return 'ended';
    if (room.state !== ConnectionState.Connected) return this.#stageBeforeConnected();
    timeline.mark('connected');
    if (!hasAgent) return 'no-agent';
    timeline.mark('agent');
    if (!hasAudio) return 'no-audio';
    timeline.mark('audio');
    if (isAudible) timeline.mark('sound');
    return timeline.at('sound') === undefined ? 'no-sound' : 'heard';
  }

  #stageBeforeConnected(): Stage {
    const { timeline } = this.#call;
    if (timeline.at('connected') !== undefined) return 'reconnecting';
    return timeline.at('token') === undefined ? 'token' : 'connecting';
  }

  #enter(stage: Stage): void {
    if (stage === this.#stage) return;
    const { timeline } = this.#call;
    if (stage === 'reconnecting') timeline.turn('lost');
    else if (this.#stage === 'reconnecting' && stage !== 'ended') timeline.turn('back');
    this.#stage = stage;
    this.#stageSince = timeline.elapsed();
  }

  #microphone(): Microphone {
    const { room, microphoneError } = this.#call;
    if (microphoneError) return 'failed';
    if (room.localParticipant.isMicrophoneEnabled) return 'on';
    return this.#microphoneTrack() ? 'muted' : 'opening';
  }

  #microphoneRms(): number {
    this.#microphoneMeter.follow(this.#call.ending ? undefined : this.#microphoneTrack());
    return this.#microphoneMeter.rms();
  }

  #microphoneTrack(): MediaStreamTrack | undefined {
    const { localParticipant } = this.#call.room;
    return localParticipant.getTrackPublication(Track.Source.Microphone)?.track?.mediaStreamTrack;
  }

  get isPlaybackBlocked(): boolean {
    return !this.#call.room.canPlaybackAudio || this.#context.state === 'suspended';
  }
}

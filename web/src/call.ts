/** One join of one room: token, connection, microphone, end. What it looks like is watch.ts's. */

import { DisconnectReason, Room, RoomEvent } from 'livekit-client';
import { playEverybody } from './playback';
import { Timeline } from './timeline';
import { fetchToken, type Token, TokenError, type TokenRequest } from './token';

/** Why a call is over. */
export type Ending =
  | { kind: 'left' }
  | { kind: 'refused'; status: number; code: string; message: string }
  | { kind: 'unconnected'; serverUrl: string; message: string }
  | { kind: 'disconnected'; reason: DisconnectReason };

export class Call {
  readonly timeline = new Timeline();
  readonly room = new Room();
  readonly request: TokenRequest;
  token: Token | undefined;
  ending: Ending | undefined;
  microphoneError: Error | undefined;

  constructor(request: TokenRequest) {
    this.request = request;
    playEverybody(this.room);
    this.room.on(RoomEvent.Disconnected, (reason) => this.#disconnected(reason));
  }

  /** Join the room; when it cannot be joined, `ending` says why. */
  async join(): Promise<void> {
    try {
      this.token = await fetchToken(this.request);
      this.timeline.mark('token');
      if (!this.ending) await this.#connect(this.token);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      const { status, code, message } = error;
      this.#end({ kind: 'refused', status, code, message });
    }
    if (!this.ending) await this.setMuted(false);
  }

  async leave(): Promise<void> {
    this.#end({ kind: 'left' });
    await this.room.disconnect();
  }

  /** Mute or open the microphone; a room is joined without one too. */
  async setMuted(muted: boolean): Promise<void> {
    try {
      await this.room.localParticipant.setMicrophoneEnabled(!muted);
      this.microphoneError = undefined;
    } catch (error) {
      this.microphoneError = error instanceof Error ? error : new Error(String(error));
    }
  }

  async #connect({ serverUrl, participantToken }: Token): Promise<void> {
    try {
      await this.room.connect(serverUrl, participantToken);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#end({ kind: 'unconnected', serverUrl, message });
    }
  }

  #disconnected(reason = DisconnectReason.UNKNOWN_REASON): void {
    // Before the room was joined, connect() says why not. Client initiated and not by leave() is the
    // page being unloaded: a reload, which joins again.
    const isJoined = this.timeline.at('connected') !== undefined;
    if (!isJoined || reason === DisconnectReason.CLIENT_INITIATED) return;
    this.#end({ kind: 'disconnected', reason });
  }

  #end(ending: Ending): void {
    this.ending ??= ending;
  }
}

/** Plays whoever speaks in a room. */

import { type RemoteTrack, type Room, RoomEvent, Track } from 'livekit-client';

export function playEverybody(room: Room): void {
  room.on(RoomEvent.TrackSubscribed, (track: RemoteTrack) => {
    if (track.kind === Track.Kind.Audio) document.body.append(track.attach());
  });
  room.on(RoomEvent.TrackUnsubscribed, (track: RemoteTrack) => {
    for (const element of track.detach()) element.remove();
  });
}

"""Which tracks of a room the parrot hears: one of each human, of so many humans."""

from collections.abc import Iterable

from livekit import rtc
from livekit.rtc.room import EventTypes

from agent.humans import is_human

# Each costs 5 % of a processor core, whoever pays for it, and a worker has up to 25 calls. Where
# more than this many talk to one parrot, nobody understands it.
_HUMANS = 8
_CHANGES: tuple[EventTypes, ...] = (
    "connection_state_changed",
    "participant_connected",
    "participant_disconnected",
    "track_muted",
    "track_published",
    "track_unmuted",
    "track_unpublished",
)


class Hearing:
    """Subscribes to the tracks that are worth it, and to no other, whenever they may have changed.

    For rooms that are joined without automatic subscription.
    """

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._heard: list[rtc.RemoteTrackPublication] = []
        for change in _CHANGES:
            room.on(change, self._choose)

    def _choose(self, *_: object) -> None:
        participants = self._room.remote_participants.values()
        heard = tracks_to_hear(participants)
        published = [one for who in participants for one in who.track_publications.values()]
        for given_up in self._heard:
            if given_up not in heard and given_up in published:
                given_up.set_subscribed(False)
        for found in heard:
            if found not in self._heard:
                found.set_subscribed(True)
        self._heard = heard


def tracks_to_hear(
    participants: Iterable[rtc.RemoteParticipant],
) -> list[rtc.RemoteTrackPublication]:
    """Return one audio track of each human. Who came first is heard first, and goes on being."""
    tracks = (_track_of(participant) for participant in participants if is_human(participant))
    return [track for track in tracks if track][:_HUMANS]


def _track_of(participant: rtc.RemoteParticipant) -> rtc.RemoteTrackPublication | None:
    """Return their first microphone, else their first audio; a muted one if there is no other."""
    tracks = participant.track_publications.values()
    audio = (track for track in tracks if track.kind == rtc.TrackKind.KIND_AUDIO)
    microphone = rtc.TrackSource.SOURCE_MICROPHONE
    return min(audio, key=lambda track: (track.muted, track.source != microphone), default=None)

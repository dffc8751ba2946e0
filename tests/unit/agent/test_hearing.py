from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import pytest
from livekit import rtc

from agent.hearing import Hearing, tracks_to_hear

MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE
SCREEN = rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO
CAMERA = rtc.TrackSource.SOURCE_CAMERA


@dataclass(eq=False)
class FakePublication:
    """A published track that remembers whether we want to be sent it."""

    sid: str
    source: int = MICROPHONE
    muted: bool = False
    asked: list[bool] = field(default_factory=list)

    @property
    def kind(self) -> int:
        video = self.source == CAMERA
        return rtc.TrackKind.KIND_VIDEO if video else rtc.TrackKind.KIND_AUDIO

    def set_subscribed(self, subscribed: bool) -> None:  # noqa: FBT001 (the SDK's signature)
        self.asked.append(subscribed)


@dataclass(frozen=True)
class FakePermissions:
    """Not hidden."""

    hidden: bool = False


@dataclass
class FakeParticipant:
    """Somebody with the tracks that they publish now."""

    track_publications: dict[str, FakePublication]
    kind: int = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
    permissions: FakePermissions = FakePermissions()


class FakeRoom(rtc.EventEmitter[str]):
    """A room with participants that come, go and publish."""

    def __init__(self) -> None:
        super().__init__()
        self.remote_participants: dict[str, FakeParticipant] = {}
        Hearing(cast("rtc.Room", self))

    def publish(self, identity: str, *published: FakePublication) -> None:
        """Let somebody publish tracks, one after the other."""
        nobody = FakeParticipant({})
        tracks = self.remote_participants.setdefault(identity, nobody).track_publications
        for publication in published:
            tracks[publication.sid] = publication
            self.emit("track_published", publication, self.remote_participants[identity])

    def unpublish(self, identity: str, publication: FakePublication) -> None:
        """Let somebody take a track away."""
        del self.remote_participants[identity].track_publications[publication.sid]
        self.emit("track_unpublished", publication, self.remote_participants[identity])

    def leave(self, identity: str) -> None:
        """Let somebody leave."""
        self.emit("participant_disconnected", self.remote_participants.pop(identity))


def tracks(count: int) -> list[FakePublication]:
    """Return so many microphones."""
    return [FakePublication(f"TR_{number}") for number in range(count)]


def asked(publications: list[FakePublication]) -> list[list[bool]]:
    """Return what each of them was asked for."""
    return [publication.asked for publication in publications]


def test_many_tracks_of_one_human_cost_no_more_than_one() -> None:
    """Each one listened to costs 5 % of a processor core: 24 of them took a whole one."""
    microphones = tracks(24)

    FakeRoom().publish("alice", *microphones)

    assert [[True]] + [[]] * 23 == asked(microphones)


def test_another_track_takes_the_place_of_one_that_is_gone() -> None:
    """Whoever changes their microphone publishes the next one before or after the last."""
    room, microphones = FakeRoom(), tracks(2)
    room.publish("alice", *microphones)

    room.unpublish("alice", microphones[0])

    assert [[True], [True]] == asked(microphones)


def test_a_muted_track_makes_way_for_one_that_can_be_heard() -> None:
    """A second microphone, say; and is heard again when it is the only one."""
    room, first, second = FakeRoom(), FakePublication("TR_1"), FakePublication("TR_2")
    room.publish("alice", first, second)

    first.muted = True
    room.emit("track_muted")
    second.muted = True
    room.emit("track_muted")

    assert ([True, False, True], [True, False]) == (first.asked, second.asked)


def test_a_microphone_is_heard_rather_than_a_shared_screen() -> None:
    """What somebody says is meant for the agent, and a video's sound is not."""
    room, screen, microphone = FakeRoom(), FakePublication("TR_s", SCREEN), FakePublication("TR_m")

    room.publish("alice", FakePublication("TR_c", CAMERA), screen, microphone)

    assert [[True, False], [True]] == asked([screen, microphone])


def test_who_is_there_before_us_is_heard_once_we_are_connected() -> None:
    """The SDK tells of a track only if it is published afterwards."""
    room, microphone = FakeRoom(), FakePublication("TR_m")
    room.remote_participants["alice"] = FakeParticipant({"TR_m": microphone})

    room.emit("connection_state_changed", rtc.ConnectionState.CONN_CONNECTED)

    assert [True] == microphone.asked


def test_eight_humans_are_heard_and_the_ninth_once_somebody_has_left() -> None:
    """A crowd, or one person under many identities, must not take a machine from other calls."""
    room, microphones = FakeRoom(), tracks(9)
    for number, microphone in enumerate(microphones):
        room.publish(f"human-{number}", microphone)
    before = asked([microphones[-1]])[0].copy()

    room.leave("human-3")

    assert ([], [[True]] * 9) == (before, asked(microphones))


@pytest.mark.parametrize(
    "unheard",
    [
        {"kind": rtc.ParticipantKind.PARTICIPANT_KIND_AGENT},
        {"kind": rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS},
        {"permissions": FakePermissions(hidden=True)},
        {"track_publications": {"TR_c": FakePublication("TR_c", CAMERA)}},
    ],
    ids=["agent", "egress", "hidden", "without sound"],
)
def test_who_is_no_human_with_a_voice_takes_nobodys_place(unheard: Mapping[str, object]) -> None:
    """Two parrots in a room would talk for ever."""
    one = FakeParticipant(**{"track_publications": {"TR_m": FakePublication("TR_m")}, **unheard})  # type: ignore[arg-type]

    assert [] == tracks_to_hear([cast("rtc.RemoteParticipant", one)])

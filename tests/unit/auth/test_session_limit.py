"""How many live rooms one person may have: what counts, and when LiveKit is asked."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.environ import settings
from tests.fakes import FakeLiveKit
from token_server.auth.admission import Person
from token_server.auth.session_limit import SessionLimit
from token_server.errors import TooManyRequestsError
from token_server.livekit.port import Room
from token_server.state.sessions import Claim, MemorySessions

ALICE = Person("caller", "alice")


class LaterSessions(MemorySessions):
    """A store whose time is a minute later, whenever it is asked for a room called late."""

    def claim(self, person: str, room_name: str, most: int) -> Claim:
        """Claim as ever."""
        found = super().claim(person, room_name, most)
        return replace(found, at=found.at + 60_000) if room_name == "late" else found


def limit(livekit: FakeLiveKit, *, most: int = 1) -> SessionLimit:
    """Return one for so many rooms."""
    return SessionLimit(settings(SESSIONS_PER_CALLER=str(most)), LaterSessions(), livekit)


def test_a_room_counts_while_it_is_made() -> None:
    """Else whoever asks many times at once has as many rooms; LiveKit does not list it yet."""
    livekit = FakeLiveKit()
    one = limit(livekit)

    with one.claim(ALICE, "kitchen"), pytest.raises(TooManyRequestsError), one.claim(ALICE, "hall"):
        raise AssertionError

    assert [] == livekit.calls


def test_a_room_that_was_never_made_counts_for_ten_seconds() -> None:
    """The process that was to make it has died."""
    livekit = FakeLiveKit()
    one = limit(livekit)
    with one.claim(ALICE, "kitchen"):
        with one.claim(ALICE, "late"):
            pass
        with pytest.raises(TooManyRequestsError), one.claim(ALICE, "hall"):
            raise AssertionError

    assert ["list_rooms"] == livekit.calls


class AskedLiveKit(FakeLiveKit):
    """Remembers which rooms it was asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        self.asked.append(list(room_names))
        return super().list_rooms(room_names)


def test_only_the_rooms_that_are_a_persons_are_asked_for() -> None:
    """Thousands of others live, and ListRooms without names would have them all."""
    livekit = AskedLiveKit()
    one = limit(livekit, most=2)
    for name in ("kitchen", "hall"):
        with one.claim(ALICE, name):
            livekit.join(name, "alice")
    livekit.end_room("hall")

    for name in ("attic", "cellar"):
        with contextlib.suppress(TooManyRequestsError), one.claim(ALICE, name):
            livekit.join(name, "alice")

    assert [["kitchen", "hall"], ["kitchen", "attic"]] == livekit.asked
    assert {"kitchen", "attic"} == set(livekit.rooms)


def test_of_the_same_name_an_address_and_a_login_are_two_persons() -> None:
    """A login called 192.0.2.1 takes nothing of those at that address."""
    livekit = FakeLiveKit()
    one = limit(livekit)

    for kind in ("caller", "address", "end user"):
        with one.claim(Person(kind, "192.0.2.1"), kind):
            livekit.join(kind, "somebody")

    assert ["caller", "address", "end user"] == list(livekit.rooms)

from datetime import UTC, datetime, timedelta

import pytest
from livekit.api import TokenVerifier

from tests.processes import API_KEY, API_SECRET
from token_server.livekit.admin_tokens import AdminTokens, Grants, admin_token

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Signer:
    """Signs with a running number, by a clock of LiveKit's that the test moves."""

    def __init__(self) -> None:
        self.now = NOON
        self.signed = 0
        self.tokens = AdminTokens(self.sign, lambda: self.now)

    def sign(self, now: datetime, grants: Grants) -> str:
        """Sign one."""
        assert self.now == now
        self.signed += 1
        return f"{grants['room']} {self.signed}"

    def at(self, seconds: float, room: str = "room") -> str:
        """The token for a call at this time."""
        self.now = NOON + timedelta(seconds=seconds)
        return self.tokens.of({"roomAdmin": True, "room": room})


def test_a_token_is_signed_once_and_again_at_half_its_life() -> None:
    """Signing costs 0.1 ms a call; a token near its end could be refused on the way."""
    signer = Signer()

    assert ["room 1", "room 1", "room 2"] == [signer.at(seconds) for seconds in (0, 299, 301)]


@pytest.mark.parametrize("seconds", [3600, -3600, -10])
def test_a_token_of_another_time_is_not_used(seconds: float) -> None:
    """LiveKit's clock turns out to be another than ours: the token is over, or has not begun."""
    signer = Signer()

    assert ["room 1", "room 2"] == [signer.at(0), signer.at(seconds)]


def test_a_clock_that_is_known_better_costs_no_signatures() -> None:
    """The header that tells it is cut to whole seconds."""
    signer = Signer()

    assert ["room 1", "room 1"] == [signer.at(1), signer.at(0)]


def test_each_room_has_a_token_of_its_own() -> None:
    """LiveKit wants the room's name in the grant."""
    signer = Signer()

    assert ["a 1", "b 2", "a 1"] == [signer.at(0, room) for room in "aba"]


def test_only_so_many_tokens_are_kept() -> None:
    """Every room has one, and rooms are without number."""
    signer = Signer()
    for number in range(1025):
        signer.at(0, str(number))

    assert ("1024 1025", "0 1026") == (signer.at(0, "1024"), signer.at(0, "0"))


def test_an_admin_token_says_no_more_than_its_grants() -> None:
    """LiveKit verifies it with our secret; it is never shown to a caller."""
    token = admin_token(API_KEY, API_SECRET, datetime.now(UTC), {"roomList": True})

    video = TokenVerifier(API_KEY, API_SECRET).verify(token).video

    assert video
    assert (True, None, None, "") == (
        video.room_list,
        video.room_admin,
        video.room_create,
        video.room,
    )

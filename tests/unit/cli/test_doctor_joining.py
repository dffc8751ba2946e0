"""The doctor's verdict on a human's join, where clients are sent to."""

from datetime import UTC, datetime

import pytest

from tests.environ import settings
from token_server.cli.doctor.checks import Finding
from token_server.cli.doctor.joining import check_join
from token_server.cli.doctor.probe_observation import ProbeObservation, WhyNot
from token_server.settings import Settings

INNER, PUBLIC = "ws://livekit:7880", "wss://livekit.example/path"
# A doctor with the server's variables, and one that knows less.
OURS = settings(LIVEKIT_URL=INNER, LIVEKIT_PUBLIC_URL=PUBLIC)
LESS = settings(LIVEKIT_URL=INNER)


def probe(why_not: WhyNot | None = None, *, is_listed: bool = False) -> ProbeObservation:
    """A human who could not join."""
    return ProbeObservation(
        room_name="doctor-1",
        agent_name="voice-agent",
        zero=datetime(2026, 11, 22, 12, tzinfo=UTC),
        join_error="timed out",
        why_not=why_not or WhyNot(),
        is_listed=is_listed,
        ended_at=9.0,
    )


def joined(*, is_listed: bool, failed_looks: int = 0) -> ProbeObservation:
    """A human who has been in a room for 8 seconds."""
    seen = probe(is_listed=is_listed)
    seen.connected_at, seen.failed_looks = 1.0, failed_looks
    return seen


FAILED = {
    "a token of another version": (probe(WhyNot("field")), OURS, "server-too-old"),
    "no media": (probe(is_listed=True), OURS, "media-blocked"),
    "another key there": (probe(WhyNot("key")), OURS, "public-url"),
    "another secret there": (probe(WhyNot("secret")), LESS, "public-url"),
    "no LiveKit there": (probe(WhyNot(instead="HTTP 404, text/html")), OURS, "public-url"),
    "nobody there": (probe(WhyNot(instead="connection refused")), OURS, "public-url"),
    "nobody knows why": (probe(), OURS, "public-url"),
    "nor which setting": (probe(WhyNot(instead="HTTP 501")), LESS, "join-failed"),
    "another LiveKit, of the same key": (joined(is_listed=False), LESS, "public-url"),
}


@pytest.mark.parametrize(("seen", "ours", "cause"), FAILED.values(), ids=FAILED.keys())
def test_what_keeps_a_human_out_is_named(
    seen: ProbeObservation, ours: Settings, cause: str
) -> None:
    """Each is mended in another place."""
    check = check_join(seen, PUBLIC, ours)

    assert (Finding.WRONG, cause) == (check.finding, check.cause)
    assert (cause in {"public-url", "join-failed"}) == ("LIVEKIT_PUBLIC_URL" in check.cure)
    assert seen.why_not.instead in "".join(check.evidence)


def test_one_address_for_all_is_livekit_urls_matter() -> None:
    """A frontend may have no way to where the server has one."""
    check = check_join(probe(), INNER, LESS)

    assert ("join-failed", True) == (check.cause, "its LIVEKIT_URL" in check.cure)


@pytest.mark.parametrize(
    ("seen", "server_url"),
    [
        pytest.param(joined(is_listed=True), INNER, id="one address"),
        pytest.param(joined(is_listed=True), PUBLIC, id="two addresses"),
        pytest.param(joined(is_listed=False, failed_looks=1), PUBLIC, id="no list"),
        pytest.param(joined(is_listed=False), INNER, id="one address, no list"),
    ],
)
def test_a_human_who_gets_in_is_well(seen: ProbeObservation, server_url: str) -> None:
    """Also where LiveKit's API has not said so."""
    assert Finding.OK is check_join(seen, server_url, LESS).finding

"""The doctor's verdict on a human's join, where clients are sent to."""

from datetime import UTC, datetime

import pytest

from token_server.cli.doctor.checks import Finding
from token_server.cli.doctor.joining import check_join
from token_server.cli.doctor.probe_observation import ProbeObservation, WhyNot

INNER, PUBLIC = "ws://livekit:7880", "wss://livekit.example/path"


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
    "a token of another version": (probe(WhyNot("field")), PUBLIC, "server-too-old"),
    "no media": (probe(is_listed=True), PUBLIC, "media-blocked"),
    "the one address": (probe(), INNER, "join-failed"),
    "another key there": (probe(WhyNot("key")), PUBLIC, "public-url"),
    "another secret there": (probe(WhyNot("secret")), PUBLIC, "public-url"),
    "no LiveKit there": (probe(WhyNot(instead="HTTP 404, text/html")), PUBLIC, "public-url"),
    "nobody there": (probe(WhyNot(instead="connection refused")), PUBLIC, "public-url"),
    "nobody knows why": (probe(), PUBLIC, "public-url"),
    "another LiveKit, of the same key": (joined(is_listed=False), PUBLIC, "public-url"),
}


@pytest.mark.parametrize(("seen", "server_url", "cause"), FAILED.values(), ids=FAILED.keys())
def test_what_keeps_a_human_out_is_named(
    seen: ProbeObservation, server_url: str, cause: str
) -> None:
    """Each is mended in another place."""
    check = check_join(seen, server_url, INNER)

    assert (Finding.WRONG, cause) == (check.finding, check.cause)
    assert (cause == "public-url") == ("Set LIVEKIT_PUBLIC_URL" in check.cure)
    assert seen.why_not.instead in "".join(check.evidence)


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
    assert Finding.OK is check_join(seen, server_url, INNER).finding

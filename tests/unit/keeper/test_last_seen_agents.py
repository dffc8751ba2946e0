"""What is remembered of agents that have been seen."""

from dataclasses import replace
from datetime import timedelta

from tests.fakes import START, FakeLiveKit
from token_server.keeper.last_seen_agents import LastSeenAgents

TUTOR = FakeLiveKit().join_agent("kitchen", "tutor")
LATER_TUTOR = replace(TUTOR, joined_at=START + timedelta(seconds=9))


def test_the_latest_join_of_each_agent_is_known() -> None:
    """A dispatch older than it has delivered already."""
    sightings = LastSeenAgents()

    for agent in (TUTOR, LATER_TUTOR, TUTOR, FakeLiveKit().join_agent("kitchen", "cook")):
        sightings.note("kitchen", agent)

    joined = {name: agent.joined_at for name, agent in sightings.of("kitchen").items()}
    assert {"tutor": LATER_TUTOR.joined_at, "cook": START} == joined


def test_rooms_are_kept_apart() -> None:
    """An agent of one room says nothing about another."""
    sightings = LastSeenAgents()

    sightings.note("kitchen", TUTOR)

    assert {} == sightings.of("bedroom")


def test_a_room_that_ended_is_forgotten() -> None:
    """A new room of its name begins anew; to forget twice does no harm."""
    sightings = LastSeenAgents()
    sightings.note("kitchen", TUTOR)

    for _ in range(2):
        sightings.forget("kitchen")

    assert {} == sightings.of("kitchen")


def test_what_was_read_does_not_change_later() -> None:
    """Looks read it while webhooks write."""
    sightings = LastSeenAgents()
    sightings.note("kitchen", TUTOR)
    known = sightings.of("kitchen")

    sightings.note("kitchen", LATER_TUTOR)

    assert {"tutor": TUTOR} == known


def test_the_room_seen_longest_ago_makes_way() -> None:
    """Memory stays bounded on a server that runs for a year."""
    sightings = LastSeenAgents()
    for number in range(10_000):
        sightings.note(str(number), TUTOR)

    sightings.note("0", TUTOR)
    sightings.note("one more", TUTOR)

    assert [True, False, True] == [bool(sightings.of(name)) for name in ("0", "1", "one more")]

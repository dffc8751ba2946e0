"""What is remembered of agents that have been seen."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared_settings.agent_signs import DISPATCH_ATTRIBUTE
from tests.fakes import START, FakeLiveKit
from token_server.keeper.last_seen_agents import ABSENCE_PROVEN_AFTER, LastSeenAgents
from token_server.livekit.port import Participant

TUTOR = FakeLiveKit().join_agent("kitchen", "tutor")
LATER = START + timedelta(seconds=20)
LATER_TUTOR = replace(TUTOR, joined_at=START + timedelta(seconds=9))


def test_the_latest_join_of_each_agent_is_known() -> None:
    """A dispatch older than it has delivered already."""
    sightings = LastSeenAgents()

    for agent in (TUTOR, LATER_TUTOR, TUTOR, FakeLiveKit().join_agent("kitchen", "cook")):
        sightings.note("kitchen", agent)

    joined = {
        name: seen.agent and seen.agent.joined_at for name, seen in sightings.of("kitchen").items()
    }
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

    assert TUTOR == known["tutor"].agent


def left_at(*told: tuple[Participant, bool]) -> datetime | None:
    """What is known of the last tutor's leaving, after a look that has seen it, and webhooks."""
    sightings = LastSeenAgents()
    sightings.note("kitchen", TUTOR)
    for agent, is_here in told:
        sightings.note("kitchen", agent, is_here=is_here, now=LATER)
    return sightings.of("kitchen")["tutor"].left_at


def test_an_agent_that_left_by_itself_is_told_from_one_that_was_put_out() -> None:
    """Only the first may be about to delete its room; and one that came back has not left."""
    gone = replace(TUTOR, has_left_by_itself=True)

    assert LATER == left_at((gone, False))
    assert left_at((TUTOR, False)) is None
    assert left_at((gone, False), (LATER_TUTOR, True)) is None


def test_an_absence_that_nobody_explains_is_a_leaving() -> None:
    """Without webhooks nothing says who has put it out."""
    sightings = LastSeenAgents()
    sightings.note("kitchen", TUTOR)

    for now in (LATER, LATER + ABSENCE_PROVEN_AFTER):
        sightings.is_absence_proven("kitchen", "tutor", now, lambda _: False)

    assert LATER == sightings.of("kitchen")["tutor"].left_at


def test_the_dispatches_of_all_that_left_are_known() -> None:
    """Not of the last one only: a dead elder may be put out after the younger one left."""
    sightings = LastSeenAgents()
    elder = replace(TUTOR, attributes={**TUTOR.attributes, DISPATCH_ATTRIBUTE: "AD_1"})
    younger = replace(LATER_TUTOR, attributes={**TUTOR.attributes, DISPATCH_ATTRIBUTE: "AD_2"})

    for agent in (younger, elder):
        sightings.note("kitchen", agent, is_here=False)

    assert {"AD_1", "AD_2"} == sightings.of("kitchen")["tutor"].departed


def test_only_what_somebody_has_wanted_is_ours() -> None:
    """Webhooks tell of everybody's agents."""
    sightings = LastSeenAgents()
    sightings.note("kitchen", TUTOR)
    before = sightings.of("kitchen")["tutor"].is_ours

    sightings.want("kitchen", ["tutor"])

    assert (False, True) == (before, sightings.of("kitchen")["tutor"].is_ours)


def test_the_room_seen_longest_ago_makes_way() -> None:
    """Memory stays bounded on a server that runs for a year."""
    sightings = LastSeenAgents()
    for number in range(10_000):
        sightings.note(str(number), TUTOR)

    sightings.note("0", TUTOR)
    sightings.note("one more", TUTOR)

    assert [True, False, True] == [bool(sightings.of(name)) for name in ("0", "1", "one more")]

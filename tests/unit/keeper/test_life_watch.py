"""Whom the watch asks, when, and what it makes of it."""

import time
from dataclasses import replace

import pytest

from shared_settings.agent_signs import ALIVE_METHOD
from tests.fakes import FakeLiveKit
from tests.processes import wait_until
from token_server.keeper.agent_life import Death, LifeLimits
from token_server.keeper.life_watch import LifeWatch
from token_server.livekit.pace import Pace, Purpose
from token_server.livekit.port import Participant, RpcOutcome

AGENT = "voice-agent"
LIMITS = LifeLimits(silent=2.0, blocked=5.0)


class Watch:
    """A watch over one agent, with a clock that stands still until told."""

    def __init__(self, limits: LifeLimits = LIMITS, pace: Pace | None = None) -> None:
        self.rooms, self.now = FakeLiveKit(), 100.0
        self.found_dead: list[str] = []
        self.watch = LifeWatch(self.rooms, limits, lambda: self.now, pace=pace)
        self.agent = self.rooms.join_agent("room", AGENT)

    @property
    def asked(self) -> int:
        """How many questions there were."""
        return self.rooms.calls.count("ask_participant")


@pytest.fixture
def watched() -> Watch:
    """A watch that has an agent to ask."""
    found = Watch()
    found.watch.watch("room", [found.agent])
    return found


def questions(watched: Watch, seconds: float, *, until: int) -> None:
    """Let so much time pass, and wait until so many questions have been asked altogether."""
    watched.now += seconds

    def ask() -> bool:
        # Whoever has answered the last question is due as soon as that is noted.
        watched.watch.ask_due(watched.found_dead.append)
        return watched.asked >= until

    wait_until(ask, within=5, what="the question is asked")


def test_an_agent_that_answers_is_asked_every_second(watched: Watch) -> None:
    """It costs LiveKit and us a call."""
    questions(watched, 0.0, until=1)
    wait_until(
        lambda: watched.watch.heard_within("room", AGENT, 0.001), within=5, what="it has answered"
    )
    wait = watched.watch.ask_due(watched.found_dead.append)
    watched.now += 0.9
    watched.watch.ask_due(watched.found_dead.append)
    questions(watched, 0.1, until=2)

    assert (2, 0.5) == (watched.asked, wait)


def test_a_dead_agent_is_told_and_shown(watched: Watch) -> None:
    """The look that follows puts it out."""
    questions(watched, 0.0, until=1)
    wait_until(
        lambda: watched.watch.heard_within("room", AGENT, 0.001), within=5, what="it has answered"
    )
    watched.rooms.rpc_outcomes[watched.agent.participant_identity, ALIVE_METHOD] = RpcOutcome.SILENT
    questions(watched, 1.5, until=2)
    questions(watched, 1.0, until=3)
    wait_until(lambda: watched.found_dead, within=5, what="it is found dead")

    (dead,) = watched.watch.dead("room")
    assert (["room"], watched.agent, Death.SILENT) == (
        watched.found_dead,
        dead.participant,
        dead.death,
    )
    assert 2.5 == pytest.approx((watched.rooms.now() - dead.since).total_seconds(), abs=0.01)


@pytest.mark.parametrize(("is_active", "deaths"), [(True, [Death.SILENT]), (False, [])])
def test_an_agent_that_dies_as_it_comes_up_is_found_dead(
    *, is_active: bool, deaths: list[Death]
) -> None:
    """Media came, a data channel did not; one whose media is not up yet may be slow."""
    found = Watch()
    found.watch.watch("room", [found.agent])
    identity = found.agent.participant_identity
    listed = replace(found.agent, is_active=is_active)
    found.rooms.rooms["room"].participants[identity] = listed
    found.rooms.rpc_outcomes[identity, ALIVE_METHOD] = RpcOutcome.NO_CHANNEL
    for number in range(1, 9):
        questions(found, 1.0, until=number)
    if deaths:
        wait_until(lambda: found.found_dead, within=5, what="it is found dead")

    assert deaths == [dead.death for dead in found.watch.dead("room")]


def test_a_question_that_is_refused_for_their_number_makes_nobody_dead(watched: Watch) -> None:
    """And does not lead to one request more."""
    identity = watched.agent.participant_identity
    watched.rooms.rpc_outcomes[identity, ALIVE_METHOD] = RpcOutcome.LIMITED
    for number in range(1, 8):
        questions(watched, 3.0, until=number)

    assert ([], []) == (watched.watch.dead("room"), watched.found_dead)
    assert "list_participants" not in watched.rooms.calls


def test_who_is_in_doubt_is_not_asked_soon_where_livekit_refuses_the_question(
    watched: Watch,
) -> None:
    """A worker with 60 calls has died: 120 questions a second would leave nothing for repairs."""
    identity = watched.agent.participant_identity
    outcomes = watched.rooms.rpc_outcomes
    outcomes[identity, ALIVE_METHOD] = RpcOutcome.SILENT
    questions(watched, 0.0, until=1)
    outcomes[identity, ALIVE_METHOD] = RpcOutcome.LIMITED
    questions(watched, 0.5, until=2)
    # Who is in doubt is due half a second later; this one, a second.
    watched.now += 0.9
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        watched.watch.ask_due(watched.found_dead.append)
    asked = watched.asked
    questions(watched, 0.2, until=3)

    assert 2 == asked


def test_nobody_is_asked_where_it_is_off() -> None:
    """AGENT_SILENT_SECONDS=0 costs nothing."""
    found = Watch(LifeLimits(silent=0, blocked=0))

    found.watch.watch("room", [found.agent])
    found.watch.ask_due(found.found_dead.append)
    found.watch.close()

    assert [] == found.rooms.calls


def test_a_room_without_a_human_is_not_watched(watched: Watch) -> None:
    """Its agent is to leave."""
    watched.watch.watch("room", [])
    watched.watch.ask_due(watched.found_dead.append)

    assert ([], 0.0) == (watched.rooms.calls, watched.watch.longest_interval())


def test_a_room_of_another_process_is_watched_until_that_one_has_looked(watched: Watch) -> None:
    """Whoever has seen the agent first: in between nobody else knows of it."""
    watched.watch.watch("room", [watched.agent], 20.0)
    questions(watched, 19.0, until=1)
    watched.now += 2.0
    watched.watch.ask_due(watched.found_dead.append)

    assert (1, 0.0) == (watched.asked, watched.watch.longest_interval())


@pytest.mark.parametrize(("is_mine", "asked"), [(True, 1), (False, 0)])
def test_a_room_that_is_handed_over_is_watched_a_little_longer(
    watched: Watch, *, is_mine: bool, asked: int
) -> None:
    """And one that has come to be ours for ever."""
    watched.watch.watch("room", [watched.agent], 20.0)

    watched.watch.hand_over(lambda _: is_mine, 10.0)

    watched.now += 15.0
    watched.watch.ask_due(watched.found_dead.append)
    if asked:
        questions(watched, 5.1, until=1)
    assert asked == watched.asked


class Held(Pace):
    """A LiveKit that may not be asked for a while."""

    seconds = 0.3

    def wait(self, purpose: Purpose) -> float:
        """Wait, for signs of life."""
        return self.seconds if purpose is Purpose.LIFE else 0.0


def test_questions_wait_while_livekit_may_not_be_asked() -> None:
    """What is left of a minute is for humans who wait."""
    pace = Held()
    found = Watch(pace=pace)
    found.watch.watch("room", [found.agent])

    wait, asked = found.watch.ask_due(found.found_dead.append), found.asked
    pace.seconds = 0.0

    questions(found, 0.0, until=1)
    assert (0.3, 0) == (wait, asked)


def test_a_room_that_has_ended_is_looked_at(watched: Watch) -> None:
    """Without webhooks nobody else would, and its agent would be asked for ever."""
    watched.rooms.end_room("room")

    questions(watched, 0.0, until=1)
    wait_until(lambda: watched.found_dead, within=5, what="the room is to be looked at")

    assert (["room"], []) == (watched.found_dead, watched.watch.dead("room"))


def test_another_agent_of_the_room_is_asked_from_the_start(watched: Watch) -> None:
    """What the one before it has answered says nothing."""
    questions(watched, 0.0, until=1)
    watched.rooms.leave("room", watched.agent.participant_identity)
    successor: Participant = watched.rooms.join_agent("room", AGENT, "agent-2")

    watched.watch.watch("room", [successor])
    questions(watched, 0.0, until=2)

    assert [] == watched.watch.dead("room")


def test_a_room_whose_agent_has_gone_is_looked_at(watched: Watch) -> None:
    """Another process may have sent the next one, and only who looks learns whom to ask."""
    watched.rooms.leave("room", watched.agent.participant_identity)
    questions(watched, 0.0, until=1)

    wait_until(lambda: watched.found_dead, within=5, what="the room is to be looked at")

    assert (["room"], []) == (watched.found_dead, list(watched.watch.dead("room")))


@pytest.mark.parametrize(
    ("outcome", "seconds_ago", "limits", "seems_dead"),
    [
        pytest.param(RpcOutcome.SILENT, 60, LIMITS, True, id="silent"),
        pytest.param(RpcOutcome.UNANSWERED, 60, LIMITS, True, id="LiveKit cannot ask it"),
        pytest.param(RpcOutcome.NO_CHANNEL, 60, LIMITS, True, id="it died as it came up"),
        pytest.param(RpcOutcome.UNKNOWN, 60, LIMITS, False, id="nobody knows"),
        pytest.param(RpcOutcome.UNSUPPORTED, 60, LIMITS, False, id="its transport answers"),
        pytest.param(RpcOutcome.SILENT, 2, LIMITS, False, id="it may be coming up"),
        pytest.param(RpcOutcome.SILENT, 60, LifeLimits(silent=0, blocked=0), False, id="it is off"),
    ],
)
def test_who_would_stay_is_asked(
    outcome: RpcOutcome, seconds_ago: float, limits: LifeLimits, *, seems_dead: bool
) -> None:
    """Whichever process watches the room: one that has died is not to stay for the living one."""
    found = Watch(limits)
    found.rooms.rpc_outcomes[found.agent.participant_identity, ALIVE_METHOD] = outcome
    found.rooms.pass_time(seconds=seconds_ago)

    assert seems_dead == found.watch.seems_dead("room", found.agent)


class LosesTheFirst(FakeLiveKit):
    """Loses the first question to an agent."""

    def ask_participant(self, room_name: str, participant_identity: str, method: str) -> RpcOutcome:
        """Put the question, or lose it."""
        outcome = super().ask_participant(room_name, participant_identity, method)
        return RpcOutcome.SILENT if self.calls.count("ask_participant") == 1 else outcome


def test_one_lost_question_to_who_would_stay_proves_nothing() -> None:
    """Else a living agent is put out in the middle of its call."""
    rooms = LosesTheFirst()
    watch = LifeWatch(rooms, LIMITS)
    agent = rooms.join_agent("room", AGENT)
    rooms.pass_time(seconds=60)

    assert not watch.seems_dead("room", agent)


def test_who_has_answered_lately_is_not_asked_again(watched: Watch) -> None:
    """The watch knows that it lives."""
    watched.rooms.pass_time(seconds=60)
    questions(watched, 0.0, until=1)
    wait_until(
        lambda: watched.watch.heard_within("room", AGENT, 0.001), within=5, what="it has answered"
    )

    assert (False, 1) == (watched.watch.seems_dead("room", watched.agent), watched.asked)


def test_an_agent_that_has_left_meanwhile_does_not_stay(watched: Watch) -> None:
    """Else the other one, the only one that is there, is put out."""
    watched.rooms.pass_time(seconds=60)
    watched.rooms.end_room("room")

    assert watched.watch.seems_dead("room", watched.agent)

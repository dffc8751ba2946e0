import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

import pytest
from livekit import api, rtc
from livekit.agents.types import ATTRIBUTE_AGENT_NAME

from agent.room_life import Place, RoomLife
from agent.room_now import ListedAgent, RoomNow

NAME = "voice-agent"
PLACE = Place(room_sid="RM_ours", agent_name=NAME, identity="agent-us", dispatch_id="AD_ours")
US = ListedAgent(name=NAME, identity="agent-us", sid="PA_us", joined_ms=2_000)
ELDER = ListedAgent(name=NAME, identity="agent-elder", sid="PA_elder", joined_ms=1_000)
YOUNGER = ListedAgent(name=NAME, identity="agent-younger", sid="PA_younger", joined_ms=3_000)
STRANGER = ListedAgent(name="tutor", identity="agent-stranger", sid="PA_tutor", joined_ms=1_000)
# As old as we are: the sid decides.
TWIN = ListedAgent(name=NAME, identity="agent-twin", sid="PA_a_twin", joined_ms=2_000)
DOWN: tuple[Exception, ...] = (
    TimeoutError(),
    OSError("refused"),
    api.TwirpError("unavailable", "no", status=503),
)


def room(*agents: ListedAgent, sid: str | None = "RM_ours", has_human: bool = True) -> RoomNow:
    """Return what LiveKit says of our room, or of another one of its name."""
    return RoomNow(sid=sid, agents=agents, humans=("alice",) if has_human else ())


GONE = room(sid=None, has_human=False)


class FakeLiveKit:
    """Gives the answers in order, and the last one again and again."""

    def __init__(
        self,
        *answers: RoomNow | Exception,
        living: Iterable[ListedAgent] = (),
        dispatches: Iterable[str] | Exception = ("AD_ours",),
    ) -> None:
        self._answers = list(answers)
        self._living = {agent.identity for agent in living}
        self._dispatches = dispatches
        self.looks = 0
        self.asked_for_life: list[str] = []

    async def look(self) -> RoomNow:
        self.looks += 1
        answer = self._answers[0]
        self._answers[:1] = [] if len(self._answers) > 1 else [answer]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def lives(self, identity: str) -> bool:
        self.asked_for_life.append(identity)
        return identity in self._living

    async def has_dispatch(self, dispatch_id: str) -> bool:
        if isinstance(self._dispatches, Exception):
            raise self._dispatches
        return dispatch_id in self._dispatches


def found(livekit: FakeLiveKit, find: Callable[[RoomLife], Awaitable[str | None]]) -> str | None:
    """Return what our agent finds out."""

    async def run() -> str | None:
        return await find(RoomLife(PLACE, livekit, look_again=0))

    return asyncio.run(run())


def before_joining(livekit: FakeLiveKit) -> str | None:
    """Return why an agent that has just started stays out."""
    return found(livekit, RoomLife.reason_to_stay_out)


def beside_another(livekit: FakeLiveKit) -> str | None:
    """Return why an agent that sees another one leaves."""
    return found(livekit, RoomLife.reason_to_leave_it_to_the_other)


def after_a_freeze(livekit: FakeLiveKit, first_sid: str = "PA_us") -> str | None:
    """Return why an agent leaves that was frozen or cut off."""
    return found(livekit, lambda life: life.reason_to_leave(first_sid))


@pytest.mark.parametrize(
    ("livekit", "reason"),
    [
        (FakeLiveKit(room()), None),
        (FakeLiveKit(room(STRANGER), living=[STRANGER]), None),
        (FakeLiveKit(room(ELDER), living=[ELDER]), "the agent is there already"),
        (FakeLiveKit(room(ELDER)), None),
        (FakeLiveKit(room(ELDER, YOUNGER), living=[YOUNGER]), "the agent is there already"),
        (FakeLiveKit(room(sid="RM_later")), "the room has ended"),
        (FakeLiveKit(GONE), "the room has ended"),
        (FakeLiveKit(GONE, room()), None),
        (FakeLiveKit(GONE, TimeoutError()), None),
        (FakeLiveKit(room(), dispatches=()), "the dispatch was taken back"),
        (FakeLiveKit(room(), dispatches=OSError("refused")), None),
        *((FakeLiveKit(error), None) for error in DOWN),
    ],
    ids=[
        "it is there",
        "with another agent",
        "with our agent",
        "with our agent, which is dead",
        "with two of ours, one dead",
        "a later room of its name",
        "no such room",
        "a lie",
        "a lie, or the end",
        "its dispatch was taken back",
        "its dispatch, not known",
        "timeout",
        "network",
        "twirp",
    ],
)
def test_an_agent_joins_unless_livekit_says_that_it_must_not(
    livekit: FakeLiveKit, reason: str | None
) -> None:
    """Joining would revive an ended room or double an agent; and when unknown, a human waits."""
    assert reason == before_joining(livekit)


def test_nobody_is_asked_twice_who_does_not_need_to_be() -> None:
    """Each question is a round trip that a human waits for."""
    livekit = FakeLiveKit(room(STRANGER))

    before_joining(livekit)

    assert (1, []) == (livekit.looks, livekit.asked_for_life)


@pytest.mark.parametrize(
    ("livekit", "reason"),
    [
        (FakeLiveKit(room(US, ELDER), living=[ELDER]), "the agent is there already"),
        (FakeLiveKit(room(US, TWIN), living=[TWIN]), "the agent is there already"),
        (FakeLiveKit(room(US, YOUNGER), living=[YOUNGER]), None),
        (FakeLiveKit(room(US, ELDER)), None),
        (FakeLiveKit(room(US, STRANGER), living=[STRANGER]), None),
        (
            FakeLiveKit(room(ELDER), room(US, ELDER), living=[ELDER]),
            "the agent is there already",
        ),
        (FakeLiveKit(room(ELDER), living=[ELDER]), None),
        (FakeLiveKit(OSError("refused")), None),
    ],
    ids=[
        "it is older",
        "as old, by its sid",
        "it is younger",
        "it is older and dead",
        "another name",
        "we are not listed yet",
        "we are not listed at all",
        "nobody knows",
    ],
)
def test_of_two_agents_the_elder_stays_if_it_lives(
    livekit: FakeLiveKit, reason: str | None
) -> None:
    """Both look, and they must not both go; the keeper would choose the same one."""
    assert reason == beside_another(livekit)


@pytest.mark.parametrize(
    ("livekit", "first_sid", "reason"),
    [
        (FakeLiveKit(room(US)), "PA_us", None),
        (FakeLiveKit(room(US, YOUNGER), living=[YOUNGER]), "PA_us", "another agent has come"),
        (FakeLiveKit(room(US, ELDER)), "PA_us", None),
        (FakeLiveKit(room(YOUNGER), living=[YOUNGER]), "PA_us", "the agent was put out"),
        (FakeLiveKit(room()), "PA_us", "the agent was put out"),
        (FakeLiveKit(room(), room(US)), "PA_us", None),
        (FakeLiveKit(GONE), "PA_us", "the room has ended"),
        (FakeLiveKit(GONE, room(US)), "PA_us", None),
        (FakeLiveKit(room(US), dispatches=()), "PA_first", "the agent was put out"),
        (FakeLiveKit(room(US)), "PA_first", None),
        (FakeLiveKit(room(US), dispatches=TimeoutError()), "PA_first", None),
        (FakeLiveKit(room(US), dispatches=()), "PA_us", None),
        (FakeLiveKit(room(US, sid="RM_later"), dispatches=()), "PA_first", None),
        (FakeLiveKit(room(US, sid="RM_later", has_human=False)), "PA_first", "the room has ended"),
        (FakeLiveKit(OSError("refused")), "PA_us", None),
        (FakeLiveKit(OSError("refused"), room(YOUNGER)), "PA_us", "the agent was put out"),
    ],
    ids=[
        "nothing has happened",
        "another one is there",
        "another one is listed, and dead",
        "another one has come in its place",
        "put out",
        "a lie",
        "the room has ended",
        "a lie about the room",
        "put out, and let in again by the SDK",
        "reconnected",
        "reconnected, and nobody knows",
        "its dispatch is gone, it never was",
        "LiveKit was restarted, and both are back",
        "let into a later, empty room",
        "nobody knows",
        "LiveKit was down as well",
    ],
)
def test_an_agent_that_was_away_leaves_when_it_has_been_replaced(
    livekit: FakeLiveKit, first_sid: str, reason: str | None
) -> None:
    """The keeper has taken it for dead; but whoever is still the one goes on talking."""
    said = after_a_freeze(livekit, first_sid)

    assert (reason is None, True) == (said is None, (said or "").startswith(reason or ""))


@pytest.mark.parametrize(
    ("answer", "has_human"),
    [(room(), True), (room(has_human=False), False), (OSError("refused"), False)],
)
def test_no_answer_is_no_human(answer: RoomNow | Exception, *, has_human: bool) -> None:
    """An agent that nobody seems to need leaves, unless LiveKit knows of somebody."""
    assert has_human == asyncio.run(RoomLife(PLACE, FakeLiveKit(answer)).has_human())


@pytest.mark.parametrize(
    ("livekit", "has_nobody"),
    [
        (FakeLiveKit(room()), False),
        (FakeLiveKit(room(has_human=False)), True),
        (FakeLiveKit(GONE), True),
        (FakeLiveKit(room(has_human=False), room()), False),
        (FakeLiveKit(room(has_human=False), OSError("refused")), False),
        (FakeLiveKit(OSError("refused")), False),
    ],
    ids=["a human", "nobody", "no room", "a lie", "a lie, or nobody", "nobody knows"],
)
def test_nobody_is_there_when_two_answers_say_so(livekit: FakeLiveKit, *, has_nobody: bool) -> None:
    """An agent that goes because of a wrong answer leaves the human whom it was sent for."""
    life = RoomLife(PLACE, livekit, look_again=0)

    assert has_nobody == asyncio.run(life.has_nobody())


class FakeParticipant:
    """A participant, as far as we look at one."""

    def __init__(self, identity: str, kind: int, name: str) -> None:
        self.identity, self.kind = identity, kind
        self.attributes = {ATTRIBUTE_AGENT_NAME: name}


@pytest.mark.parametrize(
    ("identity", "kind", "name", "is_another"),
    [
        ("agent-elder", rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, NAME, True),
        ("agent-us", rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, NAME, False),
        ("agent-elder", rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, "tutor", False),
        ("alice", rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, NAME, False),
    ],
)
def test_another_of_us_is_an_agent_of_our_name(
    identity: str, kind: int, name: str, *, is_another: bool
) -> None:
    """A human may call themselves what they like."""
    participant = cast("rtc.RemoteParticipant", FakeParticipant(identity, kind, name))

    assert is_another == RoomLife(PLACE, FakeLiveKit(room())).is_another_of_us(participant)

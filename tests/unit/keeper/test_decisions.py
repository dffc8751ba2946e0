from dataclasses import replace
from datetime import timedelta

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_settings.agent_signs import DISPATCH_ATTRIBUTE
from tests.fakes import START
from token_server.keeper.agent_life import DeadAgent, Death
from token_server.keeper.attendance import (
    Action,
    Attendance,
    CreateDispatch,
    DeleteDispatch,
    RemoveAgent,
    Settled,
    Wait,
)
from token_server.keeper.decisions import GRACE, LOOK_AGAIN, decide, failed
from token_server.keeper.failures import Failures
from token_server.keeper.hedging import Hedging
from token_server.keeper.known_workers import NOTHING_TOLD, WorkerNews
from token_server.livekit.port import (
    AgentOrder,
    Dispatch,
    Job,
    JobStatus,
    Participant,
    ParticipantKind,
)

ORDER = AgentOrder(agent_name="voice-agent", metadata="hello")


def at(seconds: float) -> timedelta:
    """So long after the start."""
    return timedelta(seconds=seconds)


def agent(identity: str = "agent-voice-agent", joined: float = 0) -> Participant:
    """An agent in the room."""
    return Participant(
        participant_identity=identity,
        participant_sid=f"PA_{identity}",
        kind=ParticipantKind.AGENT,
        joined_at=START + at(joined),
    )


def dispatch(
    dispatch_id: str = "AD_1",
    created: float = 0,
    job_started: float | None = None,
    status: JobStatus = JobStatus.RUNNING,
) -> Dispatch:
    """A dispatch; times in seconds after the start."""
    jobs = (
        ()
        if job_started is None
        else (Job(job_id="AJ_1", status=status, started_at=START + at(job_started)),)
    )
    return Dispatch(
        dispatch_id=dispatch_id,
        agent_name="voice-agent",
        created_at=START + at(created),
        jobs=jobs,
    )


# Only one may stand: what becomes of it is seen by itself.
NO_HEDGE = Hedging(most=1)


def waiting(
    now: float, *dispatches: Dispatch, since: float | None = 0, hedging: Hedging = NO_HEDGE
) -> Attendance:
    """A human has joined `since` seconds after the start, no agent is there."""
    return Attendance(
        now=START + at(now),
        order=ORDER,
        waiting_since=None if since is None else START + at(since),
        dispatches=dispatches,
        hedging=hedging,
    )


def kind(action: Action) -> tuple[str, str | None]:
    """What a decision is, without its reason."""
    return type(action).__name__, getattr(action, "dispatch_id", None)


def test_what_was_sent_unasked_is_taken_back_where_another_one_stood_already() -> None:
    """However long ago it was sent: by somebody's own backend, say, that makes dispatches too."""
    hedging = Hedging(most=2)
    seen = waiting(2.3, dispatch(), dispatch("AD_2", created=2), hedging=hedging)

    assert "Wait" == kind(decide(seen))[0]
    unasked = replace(seen, unasked=frozenset({"AD_2"}))
    assert ("DeleteDispatch", "AD_2") == kind(decide(unasked))
    elder = replace(seen, unasked=frozenset({"AD_1"}))
    assert "Wait" == kind(decide(elder))[0]


def test_one_agent_is_enough() -> None:
    """The promise kept: nothing is touched, whatever dispatches are listed."""
    seen = replace(waiting(100, dispatch(), dispatch("AD_2")), agents=(agent(),))

    assert Settled(is_attended=True) == decide(seen)


def test_the_younger_of_two_agents_goes() -> None:
    """Exactly one: whoever looks removes the same one."""
    seen = replace(waiting(9), agents=(agent("a", joined=1), agent("b", joined=2)))

    assert RemoveAgent(agent("b", joined=2), "a second agent in the room") == decide(seen)


def test_of_two_agents_of_one_moment_every_look_removes_the_same() -> None:
    """LiveKit lists in any order: two that chose differently would leave nobody."""
    seen = replace(waiting(9), agents=(agent("a", joined=1), agent("b", joined=1)))
    other_way = replace(seen, agents=seen.agents[::-1])

    assert decide(seen) == decide(other_way)


def test_a_waiting_human_gets_a_dispatch_with_the_metadata_asked_for() -> None:
    """livekit#4390: nothing else would send the agent."""
    action = decide(waiting(0.1))

    assert isinstance(action, CreateDispatch)
    assert ORDER == action.order


@pytest.mark.parametrize(
    ("now", "listed", "until"),
    [
        pytest.param(5.9, dispatch(), 6, id="no job listed yet"),
        pytest.param(19.9, dispatch(job_started=0), 20, id="a job on its way"),
        pytest.param(22, dispatch(job_started=3), 23, id="counted from the job's start"),
        pytest.param(59, dispatch(created=20, job_started=20), 60, id="the first was too slow"),
        pytest.param(119, dispatch(created=60, job_started=60), 120, id="so was the second"),
        pytest.param(999, dispatch(created=960, job_started=960), 1020, id="no longer than that"),
    ],
)
def test_a_dispatch_that_may_still_deliver_is_waited_for(
    now: float, listed: Dispatch, until: float
) -> None:
    """Too eager a re-dispatch cancels a good job (livekit-behaviour 28)."""
    assert Wait(START + at(until)) == decide(waiting(now, listed))


@pytest.mark.parametrize(
    ("now", "listed"),
    [
        pytest.param(6, dispatch(), id="no worker took it"),
        pytest.param(20, dispatch(job_started=0), id="its job never came"),
        pytest.param(1, dispatch(job_started=0, status=JobStatus.FAILED), id="its job failed"),
        pytest.param(1, dispatch(job_started=0, status=JobStatus.SUCCESS), id="its job is over"),
    ],
)
def test_a_spent_dispatch_is_deleted_before_another_is_made(now: float, listed: Dispatch) -> None:
    """A job is offered once, and deleting is the compare-and-set (livekit-behaviour 22, 25)."""
    assert ("DeleteDispatch", "AD_1") == kind(decide(waiting(now, listed)))


def test_a_dispatch_whose_agent_was_seen_is_spent_at_once() -> None:
    """A reload: LiveKit's list would let it look alive for good (livekit-behaviour 26, 61)."""
    seen = replace(waiting(1, dispatch(job_started=0)), last_agent=agent(joined=0.5))

    assert DeleteDispatch("AD_1", "its agent has left") == decide(seen)


def test_a_dispatch_after_the_agent_that_left_may_deliver() -> None:
    """The second look after a reload must not delete what the first one made."""
    seen = replace(waiting(2, dispatch(created=1.5)), last_agent=agent(joined=0.5))

    assert Wait(START + at(7.5)) == decide(seen)


def test_the_agent_of_another_dispatch_that_has_left_spends_only_its_own() -> None:
    """One that was sent for somebody who left comes late, and goes; the next is on its way."""
    other = replace(agent(joined=1.0), attributes={DISPATCH_ATTRIBUTE: "AD_0"})
    theirs, own = dispatch("AD_0", created=0.1), dispatch(created=0.5)

    seen = replace(waiting(1.2, own), last_agent=other)

    assert "Wait" == kind(decide(seen))[0]
    assert ("DeleteDispatch", "AD_0") == kind(decide(replace(seen, dispatches=(own, theirs))))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(10.0, "Wait", id="just joined"),
        pytest.param(11.9, "Wait", id="not yet"),
        pytest.param(12.0, "DeleteDispatch", id="two seconds after the join"),
    ],
)
def test_a_running_job_from_before_the_join_is_not_waited_for_long(
    now: float, expected: str
) -> None:
    """A reload without webhooks: nobody saw the agent leave, and its job looks alive."""
    left_over = dispatch(created=0, job_started=0)

    assert expected == kind(decide(waiting(now, left_over, since=10)))[0]


def test_of_two_dispatches_the_younger_is_deleted() -> None:
    """Two keepers that created at once see the same list and keep the same one."""
    seen = waiting(1, dispatch("AD_2", created=0.2), dispatch("AD_1", created=0.1))

    assert ("DeleteDispatch", "AD_2") == kind(decide(seen))


@pytest.mark.parametrize(
    ("now", "listed"),
    [
        pytest.param(0, (), id="nothing"),
        pytest.param(100, (dispatch(),), id="somebody's stale dispatch"),
        pytest.param(1, (dispatch(),), id="AGENT_DISPATCH=token, nobody joined yet"),
    ],
)
def test_without_a_human_nothing_is_done(now: float, listed: tuple[Dispatch, ...]) -> None:
    """A fetched token costs nothing until somebody joins."""
    assert Settled(is_attended=False) == decide(waiting(now, *listed, since=None))


def test_what_we_made_for_a_human_who_left_meanwhile_is_taken_back() -> None:
    """No agent alone in a room that we re-created by acting late (livekit-behaviour 3)."""
    seen = replace(waiting(1, dispatch(), since=None), created_by_us=frozenset({"AD_1"}))

    assert ("DeleteDispatch", "AD_1") == kind(decide(seen))


def test_what_we_made_is_taken_back_before_anything_is_made_sure_of() -> None:
    """The next look does not know any more that it was made for nobody."""
    seen = replace(
        waiting(1, dispatch("AD_0"), dispatch(), since=None),
        is_released=True,
        is_absence_proven=False,
        created_by_us=frozenset({"AD_1"}),
    )

    assert ("DeleteDispatch", "AD_1") == kind(decide(seen))


def test_an_agent_that_came_at_once_for_a_human_who_left_goes_too() -> None:
    """It is quicker than a slow answer, and would sit alone in a room that we re-created."""
    seen = replace(
        waiting(1, dispatch(), since=None),
        agents=(agent(joined=0.5),),
        created_by_us=frozenset({"AD_1"}),
    )

    assert ("DeleteDispatch", "AD_1") == kind(decide(seen))


def test_the_dispatch_of_an_agent_that_left_an_empty_room_is_deleted() -> None:
    """What one process saw becomes LiveKit's state: the next join finds nothing stale."""
    seen = replace(waiting(2, dispatch(job_started=0), since=None), last_agent=agent(joined=1))

    assert ("DeleteDispatch", "AD_1") == kind(decide(seen))


moments = st.floats(min_value=0, max_value=60)
dispatches = st.builds(
    dispatch,
    dispatch_id=st.uuids().map(str),
    created=moments,
    job_started=st.none() | moments,
    status=st.sampled_from(JobStatus),
)


@given(now=moments, since=st.none() | moments, listed=st.lists(dispatches, max_size=4))
def test_whatever_is_listed_nobody_is_sent_while_something_may_deliver(
    now: float, since: float | None, listed: list[Dispatch]
) -> None:
    """Never two on purpose, never one for nobody."""
    action = decide(waiting(now, *listed, since=since))

    assert not isinstance(action, CreateDispatch) or (since is not None and not listed)


@given(now=moments, since=moments, listed=st.lists(dispatches, max_size=4))
def test_whatever_is_listed_a_waiting_human_is_served_in_bounded_steps(
    now: float, since: float, listed: list[Dispatch]
) -> None:
    """Deleting what is to be deleted and waiting as told leads to a new dispatch."""
    seen = waiting(now, *listed, since=since)
    for _ in range(2 * len(listed) + 2):
        action = decide(seen)
        if isinstance(action, Wait):
            seen = replace(seen, now=action.until)
        elif isinstance(action, DeleteDispatch):
            left = tuple(d for d in seen.dispatches if d.dispatch_id != action.dispatch_id)
            seen = replace(seen, dispatches=left)
        else:
            break

    assert isinstance(decide(seen), CreateDispatch)
    assert seen.now <= START + timedelta(seconds=60 + 60 + 60)


@given(seconds=st.floats(min_value=0.1, max_value=60))
def test_a_job_that_is_merely_slow_is_cancelled_twice_at_most(seconds: float) -> None:
    """An agent that takes half a minute to load its models: cancelled for good, it never comes."""
    created = 0.0
    for _ in range(2):
        action = decide(waiting(created + seconds, dispatch(created=created, job_started=created)))
        if isinstance(action, Wait):
            return
        created += max(20.0, min(2 * created, 60.0))

    slow = dispatch(created=created, job_started=created)
    assert isinstance(decide(waiting(created + seconds - 0.01, slow)), Wait)


def dead(death: Death = Death.SILENT) -> DeadAgent:
    """An agent that LiveKit lists, and that does not live."""
    return DeadAgent(participant=agent(), death=death, since=START)


@pytest.mark.parametrize("death", list(Death))
def test_a_dead_agent_is_put_out_before_anything_else(death: Death) -> None:
    """Its dispatch is deleted next, and the next one sent last: each is a compare-and-set."""
    seen = replace(waiting(9, dispatch(job_started=0)), dead=(dead(death),))

    assert RemoveAgent(agent(), death) == decide(seen)


def test_a_dead_agent_of_nobody_is_left_to_livekit() -> None:
    """No human waits for another."""
    seen = replace(waiting(9, since=None), dead=(dead(),))

    assert Settled(is_attended=False) == decide(seen)


def test_of_two_agents_the_one_without_a_dispatch_goes() -> None:
    """Its dispatch was deleted when it was cut off; it came back, elder than its successor."""
    stray = replace(agent("a", joined=1), attributes={DISPATCH_ATTRIBUTE: "AD_gone"})
    kept = replace(agent("b", joined=2), attributes={DISPATCH_ATTRIBUTE: "AD_1"})
    seen = replace(waiting(9, dispatch()), agents=(stray, kept))

    assert RemoveAgent(stray, "a second agent in the room") == decide(seen)


def test_a_job_that_may_be_good_is_not_ended_by_one_answer() -> None:
    """With several nodes, one answer in ten leaves somebody out."""
    seen = replace(
        waiting(60, dispatch(job_started=0)),
        last_agent=agent(joined=1),
        is_absence_proven=False,
    )

    assert Wait(seen.now + LOOK_AGAIN) == decide(seen)
    assert ("DeleteDispatch", "AD_1") == kind(decide(replace(seen, is_absence_proven=True)))


HEDGE = Hedging(after=at(1), most=2)


@pytest.mark.parametrize(
    ("now", "listed", "expected"),
    [
        pytest.param(0.9, [dispatch()], Wait(START + at(1)), id="not late yet"),
        pytest.param(1.0, [dispatch()], "CreateDispatch", id="late"),
        pytest.param(2.0, [dispatch(job_started=0.1)], Wait(START + at(6)), id="a worker has it"),
        pytest.param(6.0, [dispatch(job_started=0.1)], "CreateDispatch", id="and may have frozen"),
        pytest.param(
            5.9,
            [dispatch(), dispatch("AD_2", created=1)],
            Wait(START + at(6)),
            id="two are enough",
        ),
        pytest.param(
            1.2,
            [dispatch(), dispatch("AD_2", created=0.3)],
            "DeleteDispatch",
            id="two of one moment are one too many",
        ),
    ],
)
def test_a_dispatch_that_is_late_is_hedged(
    now: float, listed: list[Dispatch], expected: Action | str
) -> None:
    """LiveKit asks one worker; where that one is frozen, nobody else is asked."""
    action = decide(waiting(now, *listed, hedging=HEDGE))

    assert expected == (kind(action)[0] if isinstance(expected, str) else action)


def test_what_was_sent_beside_the_one_that_came_is_taken_back() -> None:
    """Or its agent comes too."""
    came = replace(agent(), attributes={DISPATCH_ATTRIBUTE: "AD_2"})
    seen = replace(waiting(3, dispatch(), dispatch("AD_2", created=1)), agents=(came,))

    assert ("DeleteDispatch", "AD_1") == kind(decide(seen))


def test_where_nobody_knows_which_dispatch_came_nothing_is_taken_back() -> None:
    """The wrong one would end the agent's own job."""
    seen = replace(waiting(3, dispatch(), dispatch("AD_2", created=1)), agents=(agent(),))

    assert Settled(is_attended=True) == decide(seen)


@pytest.mark.parametrize(
    ("now", "told", "expected"),
    [
        pytest.param(2.0, WorkerNews(in_hand=frozenset({"AD_1"})), "Wait", id="one has it"),
        pytest.param(2.0, WorkerNews(is_full=True), "Wait", id="all are full"),
        pytest.param(1.0, NOTHING_TOLD, "CreateDispatch", id="nobody tells"),
        pytest.param(0.4, WorkerNews(newest_at=START + at(0.2)), "Wait", id="one came just now"),
        pytest.param(0.5, WorkerNews(newest_at=START + at(0.2)), "CreateDispatch", id="one came"),
        pytest.param(0.3, WorkerNews(newest_at=START - at(9)), "Wait", id="one came before"),
    ],
)
def test_what_workers_tell_decides_whether_another_is_asked(
    now: float, told: WorkerNews, expected: str
) -> None:
    """A slow worker is not asked twice, one that has just come at once."""
    seen = replace(waiting(now, dispatch(), hedging=HEDGE), workers=told)

    assert expected == kind(decide(seen))[0]


@pytest.mark.parametrize(
    ("lapsed", "expected"), [({"AD_1", "AD_2"}, "CreateDispatch"), ({"AD_1"}, "Wait")]
)
def test_where_no_worker_has_any_more_may_stand(lapsed: set[str], expected: str) -> None:
    """Half of the offers go to a frozen one, and the next one may again."""
    seen = replace(
        waiting(2.5, dispatch(), dispatch("AD_2", created=1), hedging=HEDGE),
        workers=WorkerNews(lapsed=frozenset(lapsed)),
    )

    assert expected == kind(decide(seen))[0]


@pytest.mark.parametrize(
    ("now", "listed", "expected"),
    [
        pytest.param(1.1, [dispatch()], Wait(START + at(1.2)), id="a word may be on its way"),
        pytest.param(1.2, [dispatch()], "CreateDispatch", id="nobody has it"),
        pytest.param(
            3.0,
            [dispatch(), dispatch("AD_2", created=1.2)],
            Wait(START + at(3.7)),
            id="the next in the usual time",
        ),
    ],
)
def test_what_nobody_has_is_hedged_before_it_is_late(
    now: float, listed: list[Dispatch], expected: Action | str
) -> None:
    """All workers tell, so that nobody need learn first how long the name usually takes."""
    lapsed = frozenset(each.dispatch_id for each in listed)
    action = decide(replace(waiting(now, *listed), workers=WorkerNews(lapsed=lapsed)))

    assert expected == (kind(action)[0] if isinstance(expected, str) else action)


@pytest.mark.parametrize(
    ("now", "number", "expected"),
    [
        pytest.param(0.5, 1, Wait(START + at(0.52)), id="a word may be on its way"),
        pytest.param(0.52, 1, "CreateDispatch", id="the first"),
        pytest.param(1.04, 2, "CreateDispatch", id="and the next as soon"),
        pytest.param(5.9, 10, Wait(START + at(6)), id="ten are enough"),
    ],
)
def test_beside_a_worker_that_has_fallen_silent_more_are_sent_and_sooner(
    now: float, number: int, expected: Action | str
) -> None:
    """LiveKit may offer it every other job, and the living ones have none of these."""
    listed = [dispatch(f"AD_{each}", created=0.52 * each) for each in range(number)]
    told = WorkerNews(
        lapsed=frozenset(each.dispatch_id for each in listed),
        has_silent=True,
    )
    action = decide(replace(waiting(now, *listed), workers=told))

    assert expected == (kind(action)[0] if isinstance(expected, str) else action)


just_now = st.floats(min_value=0, max_value=2)


@given(now=just_now, newest=just_now, created=st.lists(just_now, max_size=3))
def test_what_is_sent_now_is_not_taken_back_as_one_of_two(
    now: float, newest: float, created: list[float]
) -> None:
    """It would be sent again, and so on: each time a worker is asked."""
    listed = [dispatch(f"AD_{number}", created=each) for number, each in enumerate(created)]
    told = WorkerNews(newest_at=START + at(newest))
    seen = replace(waiting(max([now, *created]), *listed, hedging=HEDGE), workers=told)
    hypothesis.assume(isinstance(decide(seen), CreateDispatch))

    sent = replace(dispatch("AD_new"), created_at=seen.now)
    action = decide(replace(seen, dispatches=(*seen.dispatches, sent)))

    assert ("DeleteDispatch", "AD_new") != kind(action)


def left(at_seconds: float, *dispatches: Dispatch, now: float, since: float = 0) -> Attendance:
    """A human waits whose agent, there since second 1, has left by itself."""
    return replace(
        waiting(now, *dispatches, since=since),
        last_agent=agent(joined=1),
        left_at=START + at(at_seconds),
    )


def test_an_agent_that_left_by_itself_has_a_seconds_grace() -> None:
    """It may be about to delete the room, which the next dispatch would make anew."""
    seen = left(9, now=9.1)

    assert Wait(START + at(9) + GRACE) == decide(seen)
    assert isinstance(decide(replace(seen, now=START + at(10))), CreateDispatch)


def test_the_grace_is_not_for_a_page_that_reloads() -> None:
    """Its agent left with the page, and nobody is about to hang up."""
    assert isinstance(decide(left(9, now=9.1, since=8.9)), CreateDispatch)


def test_an_agent_that_was_put_out_is_replaced_at_once() -> None:
    """It did not leave by itself."""
    assert isinstance(decide(replace(left(9, now=9.1), left_at=None)), CreateDispatch)


def test_agents_that_fail_come_back_later_each_time() -> None:
    """A job that crashes came 43 times in two minutes."""
    seen = replace(waiting(9), failures=Failures(in_a_row=4, last_at=START + at(8)))

    assert Wait(START + at(12)) == decide(seen)
    assert isinstance(decide(replace(seen, now=START + at(12))), CreateDispatch)


def test_a_worker_that_was_registered_since_is_asked_at_once() -> None:
    """It is the next version, which has the mistake no more."""
    failures = Failures(in_a_row=9, last_at=START + at(8))
    news = WorkerNews(newest_at=START + at(8.5))

    action = decide(replace(waiting(9), failures=failures, workers=news))

    assert isinstance(action, CreateDispatch)


@pytest.mark.parametrize(
    ("listed", "is_failure"),
    [
        pytest.param([dispatch(job_started=1, status=JobStatus.FAILED)], True, id="refused"),
        pytest.param([dispatch()], False, id="nobody was asked"),
        pytest.param(
            [dispatch(job_started=1, status=JobStatus.FAILED), dispatch("AD_2", created=5)],
            False,
            id="another one stands",
        ),
        pytest.param(
            [
                dispatch(job_started=1, status=JobStatus.FAILED),
                dispatch("AD_2", created=1, job_started=1, status=JobStatus.FAILED),
            ],
            True,
            id="and so did the other one",
        ),
        pytest.param(
            [dispatch(created=-5, job_started=-4, status=JobStatus.SUCCESS)],
            False,
            id="of an earlier call",
        ),
    ],
)
def test_a_job_that_failed_a_human_counts(listed: list[Dispatch], *, is_failure: bool) -> None:
    """And no other: a pause where nobody failed lets somebody wait."""
    action = decide(waiting(7, *listed))

    assert isinstance(action, DeleteDispatch)
    assert is_failure == action.is_failure


def test_a_job_that_was_one_too_many_has_not_failed() -> None:
    """A worker ends it where another one has brought the agent, who has died since."""
    ended = dispatch("AD_2", created=0.5, job_started=1, status=JobStatus.SUCCESS)
    came = replace(agent(joined=1), attributes={DISPATCH_ATTRIBUTE: "AD_1"})

    action = decide(replace(waiting(7, ended), last_agent=came))

    assert isinstance(action, DeleteDispatch)
    assert not action.is_failure


def test_an_agent_that_left_has_failed_unless_it_was_there_for_long() -> None:
    """Both are replaced; only the first is a loop if it goes on."""
    looping = replace(left(9, now=9), failures=Failures(in_a_row=4, last_at=START))

    assert 5 == failed(looping).in_a_row
    assert 1 == failed(replace(looping, left_at=START + at(99))).in_a_row


def released(*dispatches: Dispatch, proven: bool = True) -> Attendance:
    """The only human there was released."""
    seen = waiting(9, *dispatches, since=None)
    return replace(seen, is_released=True, is_absence_proven=proven)


def test_for_a_released_human_nobody_is_sent_and_nobody_comes() -> None:
    """An end that was meant stays an end: what stands is taken back."""
    assert Settled(is_attended=False) == decide(released())
    assert ("DeleteDispatch", "AD_1") == kind(decide(released(dispatch(created=8))))


def test_the_agent_that_released_its_human_may_finish() -> None:
    """It says goodbye, or talks with somebody else; a hedge beside it is taken back."""
    saying_goodbye = replace(agent(), attributes={DISPATCH_ATTRIBUTE: "AD_1"})
    alone = replace(released(dispatch()), agents=(saying_goodbye,))
    beside_a_hedge = replace(alone, dispatches=(dispatch(), dispatch("AD_2")))

    assert Settled(is_attended=True) == decide(alone)
    assert ("DeleteDispatch", "AD_2") == kind(decide(beside_a_hedge))


def test_a_dispatch_whose_agent_left_before_a_younger_one_is_spent() -> None:
    """Of two that left, the last known says nothing of the other's dispatch."""
    seen = replace(
        waiting(9, dispatch("AD_1", job_started=1)),
        last_agent=replace(agent(joined=5), attributes={DISPATCH_ATTRIBUTE: "AD_2"}),
        departed=frozenset({"AD_1"}),
    )

    assert ("DeleteDispatch", "AD_1") == kind(decide(seen))

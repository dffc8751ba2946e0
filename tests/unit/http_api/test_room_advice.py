"""What is said to a human whose agent does not come, from what their room shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from token_server.http_api.room_advice import Situation, advise
from token_server.keeper.attendance import Attendance
from token_server.keeper.decisions import spent
from token_server.keeper.failures import FAILURES_ATTRIBUTE, Failures
from token_server.keeper.wanted_agents import Want
from token_server.livekit.port import (
    AGENT_NAME_ATTRIBUTE,
    AgentOrder,
    Dispatch,
    Job,
    JobStatus,
    Participant,
    ParticipantKind,
)
from token_server.state.timeline import Entry, EntryDetails, Event

JOINED = datetime(2026, 11, 22, 12, tzinfo=UTC)
WANT = Want(order=AgentOrder(agent_name="voice-agent"), since=JOINED)


def entry(
    event: Event, reason: str = "", agent_name: str = "voice-agent", seconds: float = 0.5
) -> Entry:
    """A line of the room's timeline, that long after the join."""
    facts: EntryDetails = {"agent_name": agent_name, "reason": reason}
    return Entry("kitchen", (JOINED + timedelta(seconds=seconds)).timestamp(), event, "", facts)


def waiting(seconds: float = 8.0, *past: Entry) -> Situation:
    """A human who has waited that long, alone."""
    return Situation(
        room_name="kitchen",
        now=JOINED + timedelta(seconds=seconds),
        wanted=[WANT],
        participants=[],
        dispatches=[],
        past=past,
    )


def dispatched(seen: Situation, *statuses: JobStatus, agent_name: str = "voice-agent") -> Situation:
    """With a dispatch from just after the join, and jobs of these states."""
    at = JOINED + timedelta(seconds=0.2)
    jobs = tuple(Job(job_id="AJ_1", status=status, started_at=at) for status in statuses)
    dispatch = Dispatch(dispatch_id="AD_1", agent_name=agent_name, created_at=at, jobs=jobs)
    return replace(seen, dispatches=[*seen.dispatches, dispatch])


def with_agent(seen: Situation, agent_name: str) -> Situation:
    """With an agent of that name."""
    agent = Participant(
        participant_identity="agent",
        participant_sid="PA_1",
        kind=ParticipantKind.AGENT,
        joined_at=JOINED,
        attributes={AGENT_NAME_ATTRIBUTE: agent_name},
    )
    return replace(seen, participants=[agent])


def failing(in_a_row: int) -> Situation:
    """A human whose agents have failed so often, the last one just now."""
    failures = Failures(in_a_row=in_a_row, last_at=JOINED + timedelta(seconds=1))
    human = Participant(
        participant_identity="alice",
        participant_sid="PA_2",
        kind=ParticipantKind.HUMAN,
        joined_at=JOINED,
        attributes={FAILURES_ATTRIBUTE: failures.to_attribute()},
    )
    return replace(waiting(2), wanted=[replace(WANT, humans=(human,))])


def test_agents_that_fail_one_after_the_other_are_named_at_once() -> None:
    """The pause between them looks like a worker that does not come."""
    advice = advise(failing(5))

    assert advise(failing(2)) is None
    assert advice is not None
    assert "agent-failing" == advice.absence.cause
    assert "5 have failed in a row; the next one is sent in 7 s." == advice.evidence


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        pytest.param(waiting(), "not-dispatched", id="no-dispatch"),
        pytest.param(dispatched(waiting()), "no-worker", id="no-job"),
        pytest.param(dispatched(waiting(), JobStatus.PENDING), "no-worker", id="pending"),
        pytest.param(waiting(8, entry(Event.DISPATCHED)), "no-worker", id="taken-back"),
        pytest.param(
            dispatched(waiting(8, entry(Event.DISPATCHED)), agent_name=""),
            "no-worker",
            id="room's-own",
        ),
        pytest.param(dispatched(waiting(), JobStatus.FAILED), "job-died", id="failed"),
        pytest.param(dispatched(waiting(), JobStatus.RUNNING), "job-slow", id="running"),
        pytest.param(
            waiting(8, entry(Event.DISPATCH_DELETED, "its job is over")), "job-died", id="was-over"
        ),
        pytest.param(
            waiting(8, entry(Event.DISPATCHED), entry(Event.JOB_TAKEN)), "job-slow", id="was-taken"
        ),
        pytest.param(with_agent(waiting(), "parrot"), "worker-other-name", id="other-agent"),
        pytest.param(with_agent(waiting(), ""), "worker-without-name", id="nameless-agent"),
        pytest.param(
            dispatched(dispatched(waiting()), JobStatus.RUNNING, agent_name=""),
            "worker-without-name",
            id="nameless-worker",
        ),
    ],
)
def test_each_way_not_to_come_has_its_name_and_cure(seen: Situation, cause: str) -> None:
    """The doctor's words, without the doctor."""
    advice = advise(seen)

    assert advice is not None
    assert cause == advice.as_json()["cause"]
    assert all(advice.as_json().values())


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(waiting(4.9), id="just-joined"),
        pytest.param(with_agent(waiting(), "voice-agent"), id="attended"),
        pytest.param(replace(waiting(), wanted=[]), id="nobody-waits"),
        pytest.param(dispatched(waiting(5.1)), id="just-sent-for"),
        pytest.param(dispatched(waiting(5.1), JobStatus.RUNNING), id="just-taken"),
    ],
)
def test_nothing_is_said_while_it_is_too_early_or_all_is_well(seen: Situation) -> None:
    """Advice that a moment later is wrong helps nobody."""
    assert advise(seen) is None


def test_what_happened_to_others_is_not_held_against_an_agent() -> None:
    """Before the human came, or about another agent."""
    past = entry(Event.JOB_TAKEN, seconds=-3), entry(Event.JOB_TAKEN, agent_name="parrot")

    advice = advise(waiting(8, *past))

    assert advice is not None
    assert "not-dispatched" == advice.absence.cause


def test_an_agent_that_was_there_has_delivered_what_came_before() -> None:
    """An agent that is lost mid call is not a job that never came."""
    past = (
        entry(Event.DISPATCHED, seconds=0.2),
        entry(Event.JOB_TAKEN, seconds=0.4),
        entry(Event.AGENT_JOINED, seconds=0.6),
        entry(Event.AGENT_LEFT, seconds=600),
    )
    old_job = dispatched(waiting(603, *past), JobStatus.RUNNING)

    later = advise(replace(old_job, now=JOINED + timedelta(seconds=610)))

    assert advise(old_job) is None
    assert later is not None
    assert "not-dispatched" == later.absence.cause


def test_the_reasons_it_reads_are_the_keeper_s() -> None:
    """A dispatch that was taken back leaves nothing but its reason."""
    seen = Attendance(now=JOINED, order=WANT.order, waiting_since=JOINED)
    over, slow = (
        dispatched(waiting(), status).dispatches[0]
        for status in (JobStatus.FAILED, JobStatus.RUNNING)
    )
    causes = [
        advise(waiting(8, entry(Event.DISPATCH_DELETED, spent(one, seen)[1])))
        for one in (over, slow)
    ]

    assert ["job-died", "job-slow"] == [one.absence.cause for one in causes if one]


def test_how_often_it_was_sent_for_is_told() -> None:
    """Nobody has to count lines of a log."""
    past = entry(Event.DISPATCHED), entry(Event.DISPATCHED_AGAIN, "no worker took it", seconds=7)

    advice = advise(waiting(9, *past))

    assert advice is not None
    assert "sent for 2 times, and no worker took the job" in advice.evidence


@pytest.mark.parametrize(
    ("default_name", "command"),
    [
        ("voice-agent", "`token-server doctor`"),
        ("parrot", "`token-server doctor --agent voice-agent`"),
    ],
)
def test_the_doctor_is_sent_to_the_agent_that_does_not_come(
    default_name: str, command: str
) -> None:
    """By itself it calls the default one; and `python -m agent` is no other one's worker."""
    advice = advise(replace(dispatched(waiting(12)), default_name=default_name))

    assert advice
    assert f" {command} on the worker's machine" in advice.absence.cure
    assert (default_name == "voice-agent") == ("python -m agent" in advice.absence.cure)


def test_the_worker_of_a_further_agent_gets_its_name_where_that_stands() -> None:
    """The token server has not to ask for another one."""
    advice = advise(replace(with_agent(waiting(), "parrot"), default_name="other"))

    assert advice
    assert "Give the worker the name `voice-agent`" in advice.absence.cure

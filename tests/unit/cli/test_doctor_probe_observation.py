"""What a probe remembers, and when it has seen enough."""

from datetime import UTC, datetime, timedelta

from token_server.cli.doctor.hung_agent import Hang
from token_server.cli.doctor.probe_observation import ObservedAgent, ProbeObservation
from token_server.livekit.port import Dispatch, Job, JobStatus, RpcOutcome

ZERO = datetime(2026, 11, 22, 12, tzinfo=UTC)


def probe() -> ProbeObservation:
    """A human who has come a second after asking."""
    return ProbeObservation(
        room_name="r", agent_name="voice-agent", zero=ZERO, token_at=0.01, connected_at=1.0
    )


def dispatch(*jobs: Job) -> Dispatch:
    """The dispatch of the wanted agent."""
    at = ZERO + timedelta(seconds=1.1)
    return Dispatch(dispatch_id="AD_1", agent_name="voice-agent", created_at=at, jobs=jobs)


def job(number: int = 0, status: JobStatus = JobStatus.RUNNING, seconds: float = 1.2) -> Job:
    """A job that was taken then."""
    at = ZERO + timedelta(seconds=seconds)
    return Job(job_id=f"AJ_{number}", status=status, started_at=at)


def test_the_timeline_is_in_the_order_of_its_times() -> None:
    """LiveKit's times and ours are on one scale."""
    seen = probe()
    seen.note_dispatches([dispatch(job())])
    seen.note_agent("agent", ObservedAgent(agent_name="voice-agent", seconds=1.4))
    seen.room_at, seen.webhook_at, seen.track_at, seen.sound_at = 0.005, 1.05, 1.5, 1.6

    assert [
        (0.005, "room ready"),
        (0.01, "token"),
        (1.0, "connected"),
        (1.05, "webhook seen"),
        (1.1, "dispatched"),
        (1.2, "job taken"),
        (1.4, "agent in the room"),
        (1.5, "agent's audio track"),
        (1.6, "first sound"),
    ] == seen.timeline()


def test_a_deleted_dispatch_keeps_its_jobs() -> None:
    """The keeper deletes what did not deliver, and that is what the doctor is after."""
    seen = probe()
    seen.note_dispatches([dispatch(job())])
    seen.note_dispatches([dispatch()])

    assert [job()] == seen.jobs_of("voice-agent")


def test_a_name_that_is_known_late_is_kept() -> None:
    """Attributes may come after the participant."""
    seen = probe()
    seen.note_agent("agent", ObservedAgent(agent_name="", seconds=1.2))
    seen.note_agent("agent", ObservedAgent(agent_name="voice-agent", seconds=1.5))

    assert (1.2, []) == (seen.agent.seconds if seen.agent else None, seen.strangers)


def test_a_visit_ends_when_nothing_more_can_come() -> None:
    """Nobody waits 8 s for what is known after one."""
    nobody, heard, quiet, trackless, dying = (probe() for _ in range(5))
    for seen in (heard, quiet, trackless):
        seen.note_agent("agent", ObservedAgent(agent_name="voice-agent", seconds=1.4))
    heard.note_dispatches([dispatch(job())])
    heard.track_at, heard.sound_at = 1.5, 1.6
    quiet.track_at = 1.5
    over = [job(number, JobStatus.FAILED) for number in range(2)]
    dying.note_dispatches([dispatch(*over)])

    at = (1.7, 3.0, 4.5, 6.0)
    assert [
        [False, False, False, False],
        [True, True, True, True],
        [False, False, True, True],
        [False, False, False, True],
        [False, False, True, True],
    ] == [[s.knows_enough(now) for now in at] for s in (nobody, heard, quiet, trackless, dying)]


def test_who_is_heard_is_not_asked_and_who_is_quiet_for_a_second_is() -> None:
    """A question costs time, and most agents speak at once."""
    seen = probe()
    asked = [seen.whom_to_ask(9.0)]
    seen.note_agent("agent-1", ObservedAgent(agent_name="voice-agent", seconds=1.4))
    asked += [seen.whom_to_ask(2.0), seen.whom_to_ask(2.5)]
    seen.sound_at = 2.6

    assert [None, None, "agent-1", None] == [*asked, seen.whom_to_ask(2.7)]


def test_who_has_left_is_not_asked_and_its_successor_is() -> None:
    """LiveKit's silence about one that is gone is no sign of a hang."""
    seen = probe()
    seen.note_agent("agent-1", ObservedAgent(agent_name="voice-agent", seconds=1.4))
    seen.life.note(seen.life.method, RpcOutcome.SILENT, 2.5, 3.3)
    seen.note_left("somebody", 3.4)
    asked = [seen.whom_to_ask(3.5)]
    seen.note_left("agent-1", 3.6)
    asked.append(seen.whom_to_ask(3.7))
    seen.note_agent("agent-2", ObservedAgent(agent_name="voice-agent", seconds=4.0))

    assert ["agent-1", None, "agent-2"] == [*asked, seen.whom_to_ask(5.0)]
    assert not seen.life.is_in_doubt


def test_only_who_is_there_at_the_same_time_is_one_too_many() -> None:
    """Events come one after the other, and a little late."""
    seen = probe()
    seen.note_agent("agent-1", ObservedAgent(agent_name="voice-agent", seconds=1.4))
    seen.note_left("agent-1", 2.1)
    seen.note_agent("agent-2", ObservedAgent(agent_name="voice-agent", seconds=2.0))
    alone = seen.rivals
    seen.note_agent("stranger", ObservedAgent(agent_name="parrot", seconds=2.2))
    strangers = seen.rivals
    seen.note_there("agent-1")

    assert [[], ["parrot"]] == [alone, [agent.agent_name for agent in strangers]]
    assert ["voice-agent", "parrot"] == [agent.agent_name for agent in seen.rivals]


def test_a_doubt_is_waited_for_and_a_hang_ends_the_visit() -> None:
    """An agent with a track that hangs is not well."""
    seen = probe()
    seen.note_agent("agent-1", ObservedAgent(agent_name="voice-agent", seconds=1.4))
    seen.track_at = 1.5
    knew = [seen.knows_enough(9.0)]
    seen.life.note(seen.life.method, RpcOutcome.SILENT, 8.0, 8.8)
    knew.append(seen.knows_enough(9.0))
    seen.life.hang = Hang.FROZEN

    assert [True, False, True] == [*knew, seen.knows_enough(2.0)]

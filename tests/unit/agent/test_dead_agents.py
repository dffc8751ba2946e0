import asyncio

import pytest
from livekit.agents.job import JobAcceptArguments, RunningJobInfo
from livekit.protocol.agent import Job
from livekit.protocol.models import Room

from agent.dead_agents import DeadAgents


def running(*, fake: bool = False) -> RunningJobInfo:
    """Return a job that has an agent in a room."""
    return RunningJobInfo(
        accept_arguments=JobAcceptArguments(name="voice-agent", identity="agent-1", metadata=""),
        job=Job(id="AJ_1", room=Room(name="lobby")),
        url="",
        token="",
        worker_id="",
        fake_job=fake,
    )


def put_out(job: RunningJobInfo | None, exit_code: int | None) -> list[tuple[str, str]]:
    """Return who is put out of which room when a process ends."""
    done: list[tuple[str, str]] = []

    async def note(room_name: str, identity: str) -> None:
        await asyncio.sleep(0)
        done.append((room_name, identity))

    async def run() -> None:
        agents = DeadAgents(note)
        agents.note_end(job, exit_code)
        await agents.aclose()

    asyncio.run(run())
    return done


@pytest.mark.parametrize(
    ("job", "exit_code", "out"),
    [
        (running(), -9, [("lobby", "agent-1")]),
        (running(), 1, [("lobby", "agent-1")]),
        (running(), None, [("lobby", "agent-1")]),
        (running(), 0, []),
        (None, -9, []),
        (running(fake=True), -9, []),
    ],
    ids=["killed", "crashed", "nobody knows how", "in order", "without a job", "console"],
)
def test_an_agent_whose_process_has_died_is_put_out(
    job: RunningJobInfo | None, exit_code: int | None, out: list[tuple[str, str]]
) -> None:
    """LiveKit would list it for 20 s more, and the room would seem to have its agent."""
    assert out == put_out(job, exit_code)


def test_a_livekit_that_does_not_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The worker goes on, and the keeper finds the dead one."""

    async def fail(_room_name: str, _identity: str) -> None:
        raise TimeoutError

    async def run() -> None:
        agents = DeadAgents(fail)
        agents.note_end(running(), -9)
        await agents.aclose()

    asyncio.run(run())
    assert "putting a dead agent out has failed" in caplog.text


def test_a_worker_that_ends_waits_for_those_on_their_way_out() -> None:
    """And is done at once when there are none."""
    assert [] == put_out(None, 0)

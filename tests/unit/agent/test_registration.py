"""What a worker tells the token server, when, and what it does when nobody listens."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from livekit.agents.job import JobAcceptArguments, RunningJobInfo
from livekit.protocol.agent import Job
from livekit.protocol.models import Room

from agent.capacity import Capacity
from agent.registration import Registration
from agent.settings import AgentSettings
from agent.standing import JobInHand, Standing, Standings
from shared_settings.worker_words import AUDIENCE
from tests.environ import environ
from tests.processes import API_KEY, API_SECRET, free_port
from token_server.livekit.signed_bodies import SignedBodies
from token_server.state.workers import Word

JOB = JobInHand("AD_1", "kitchen")


@dataclass
class TokenServer:
    """Hears words as the real one does, and answers what the test says."""

    host: str = "127.0.0.1"
    port: int = 0
    status: int = 204
    words: list[Word] = field(default_factory=list)
    heard_at: list[float] = field(default_factory=list)

    async def hear(self, request: web.Request) -> web.Response:
        """Verify a word, and note it."""
        body = await request.read()
        signed = SignedBodies({API_KEY: API_SECRET}, "", AUDIENCE)
        verified = signed.read(lambda: body, request.headers["Authorization"])
        self.words.append(Word.model_validate_json(verified))
        self.heard_at.append(time.monotonic())
        return web.Response(status=self.status)

    async def until(self, holds: Callable[[list[Word]], bool]) -> None:
        """Wait until it has heard what is waited for."""
        async with asyncio.timeout(10):
            while not holds(self.words):  # noqa: ASYNC110 (a condition, not an event)
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen on a port of loopback."""
        app = web.Application()
        app.router.add_post("/workers", self.hear)
        runner = web.AppRunner(app)
        await runner.setup()
        self.port = self.port or free_port()
        await web.TCPSite(runner, self.host, self.port).start()
        try:
            yield
        finally:
            await runner.cleanup()


@dataclass
class Told:
    """How the worker is: what a test changes."""

    standing: Standing = field(default_factory=Standing)

    def now(self) -> Standing:
        return self.standing


def settings(port: int, host: str = "") -> AgentSettings:
    """A worker beside the token server."""
    beside = {"PORT": str(port), "HOST": host, "TOKEN_SERVER_URL": ""}
    return AgentSettings.from_environ(environ(LIVEKIT_AGENT_MAX_JOBS="3", **beside))


def running(
    story: Callable[[TokenServer, Told, Registration], Any], host: str = "127.0.0.1"
) -> TokenServer:
    """Let a worker tell while the story goes on."""

    async def run() -> TokenServer:
        server, told = TokenServer(host), Told()
        async with server.running():
            registration = Registration(settings(server.port, host), told.now)
            registration.start()
            try:
                await story(server, told, registration)
            finally:
                await registration.leave()
        return server

    return asyncio.run(run())


def test_a_worker_finds_a_server_that_listens_on_ipv6_alone() -> None:
    """HOST=::1 is one `.env` for both."""

    async def story(server: TokenServer, *_: object) -> None:
        await server.until(lambda words: len(words) == 1)

    assert running(story, host="::1").words


def test_a_worker_tells_at_once_what_it_is() -> None:
    """Signed, so that the real server takes it."""

    async def story(server: TokenServer, told: Told, _: Registration) -> None:
        await server.until(lambda words: len(words) == 1)
        told.standing = Standing(
            worker_id="AW_1", registered_at=time.monotonic() - 5, calls=1, jobs=(JOB,)
        )
        await server.until(lambda words: len(words) == 2)

    first, second, *_ = running(story).words

    assert (None, 0, 3, "voice-agent", ()) == (
        first.registered_for,
        first.calls,
        first.max_calls,
        first.agent_name,
        first.jobs,
    )
    assert ("AW_1", 1, [("AD_1", "kitchen")]) == (
        second.worker_id,
        second.calls,
        [(job.dispatch_id, job.room_name) for job in second.jobs],
    )
    assert 5 <= (second.registered_for or 0) < 8
    assert first.process == second.process
    assert first.sequence < second.sequence


def test_changes_are_told_five_times_a_second_at_most() -> None:
    """Fifty joins in a second must not become fifty requests."""

    async def story(server: TokenServer, told: Told, _: Registration) -> None:
        for calls in range(60):
            told.standing = Standing(calls=calls)
            await asyncio.sleep(0.02)
        await server.until(lambda words: words[-1].calls == 59)

    server = running(story)

    seconds = server.heard_at[-1] - server.heard_at[0]
    assert 3 <= len(server.words) <= seconds / 0.2 + 2


def test_a_worker_tells_again_where_nothing_changes() -> None:
    """One that is not heard for six seconds counts as silent."""

    async def story(server: TokenServer, _: Told, __: Registration) -> None:
        await server.until(lambda words: len(words) == 2)

    first, second, *_ = running(story).heard_at

    assert 1.8 < second - first < 5


def test_one_that_ends_says_so_once() -> None:
    """It is gone then, and no ghost."""

    async def story(server: TokenServer, told: Told, registration: Registration) -> None:
        told.standing = Standing(worker_id="AW_1", calls=1, jobs=(JOB,))
        await server.until(lambda words: len(words) == 1)
        await registration.leave()
        await registration.leave()

    server = running(story)

    assert [False, True] == [word.is_leaving for word in server.words]
    assert () == server.words[-1].jobs


def test_a_last_word_that_is_not_heard_is_said_once_more() -> None:
    """Who goes without a word is taken for dead; who does not listen, holds nobody up."""

    async def story(server: TokenServer, _: Told, registration: Registration) -> None:
        await server.until(lambda words: len(words) == 1)
        server.status = 503
        await registration.leave()

    server = running(story)

    assert [False, True, True] == [word.is_leaving for word in server.words]
    assert server.words[1].sequence < server.words[2].sequence


def test_a_worker_whose_telling_has_failed_can_end_and_says_so() -> None:
    """Whatever is wrong with what it tells: its processes have to be closed."""

    async def story(server: TokenServer, told: Told, registration: Registration) -> None:
        await server.until(lambda words: len(words) == 1)
        told.standing = Standing(jobs=[None])  # type: ignore[list-item]
        await asyncio.sleep(0.3)
        await registration.leave()

    assert [False, True] == [word.is_leaving for word in running(story).words]


def test_without_a_token_server_the_worker_goes_on_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And once more when it is heard again; with the address, and without anything secret."""
    caplog.set_level("INFO")
    clock = [0.0]

    async def run() -> None:
        server = TokenServer(port=free_port())
        registration = Registration(settings(server.port), Standing, lambda: clock[0])
        registration.start()
        for _ in range(8):
            clock[0] += 3.0
            await asyncio.sleep(0.15)
        async with server.running(), asyncio.timeout(10):
            while not server.words:
                clock[0] += 3.0
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.2)
            await registration.leave()

    asyncio.run(run())

    lines = [r for r in caplog.records if r.name == "agent.registration"]
    assert ["WARNING", "INFO"] == [line.levelname for line in lines]
    assert "/workers" in vars(lines[0])["url"]
    assert API_SECRET not in str([vars(line) for line in lines])


def test_a_refusal_is_said_once_too(caplog: pytest.LogCaptureFixture) -> None:
    """Another key, or a server that knows no workers yet."""
    clock = [0.0]

    async def run() -> None:
        server = TokenServer(status=404)
        async with server.running():
            registration = Registration(settings(server.port), Standing, lambda: clock[0])
            registration.start()
            for _ in range(8):
                clock[0] += 3.0
                await asyncio.sleep(0.15)
            await registration.leave()

    asyncio.run(run())

    assert ["HTTP 404"] == [
        vars(r)["reason"] for r in caplog.records if r.name == "agent.registration"
    ]


class FakeWorker:
    """An AgentServer as far as its standing goes."""

    draining = False

    def __init__(self) -> None:
        self.active_jobs: list[RunningJobInfo] = []
        self.registered: Any = None

    def on(self, event: str, callback: Any) -> None:  # noqa: ANN401
        assert event == "worker_registered"
        self.registered = callback


def job(number: int) -> Job:
    """A job as LiveKit offers it."""
    return Job(id=f"AJ_{number}", dispatch_id=f"AD_{number}", room=Room(name=f"room-{number}"))


def runs(offered: Job) -> RunningJobInfo:
    """A process runs it."""
    return RunningJobInfo(
        accept_arguments=JobAcceptArguments(identity="", name="", metadata=""),
        job=offered,
        url="",
        token="",
        worker_id="",
        fake_job=False,
    )


def test_a_job_is_in_hand_from_its_acceptance_to_its_end() -> None:
    """Once, also while it passes into its process: who asks must not send a second agent."""
    worker, seen = FakeWorker(), []
    capacity = Capacity(2, lambda: [running.job for running in worker.active_jobs])
    standings = Standings(worker, capacity, lambda: True)

    with capacity.place_for(job(1)):
        seen.append(standings.now().jobs)
        worker.active_jobs.append(runs(job(1)))
        seen.append(standings.now().jobs)
    seen.append(standings.now().jobs)
    worker.active_jobs.clear()

    assert [(JobInHand("AD_1", "room-1"),)] * 3 == seen
    assert () == standings.now().jobs


def test_a_worker_without_its_connection_is_not_registered() -> None:
    """LiveKit offers it nothing then, whatever its id was."""
    worker, is_connected = FakeWorker(), [True]
    standings = Standings(worker, Capacity(2, list), lambda: is_connected[0], lambda: 7.0)
    seen = [standings.now()]

    worker.registered("AW_1", None)
    seen.append(standings.now())
    is_connected[0] = False
    seen.append(standings.now())

    assert [("", None), ("AW_1", 7.0), ("AW_1", None)] == [
        (each.worker_id, each.registered_at) for each in seen
    ]

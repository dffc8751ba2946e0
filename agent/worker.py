"""The worker: registers with LiveKit under a name and answers every job it is offered."""

import errno
import functools
import logging

from livekit.agents import AgentServer, JobExecutorType, JobRequest
from livekit.agents.ipc.job_proc_executor import ProcJobExecutor
from livekit.agents.types import ATTRIBUTE_AGENT_STATE
from livekit.protocol.agent import Job
from livekit.protocol.models import Room, ServerInfo

from agent.capacity import Capacity
from agent.dead_agents import DeadAgents
from agent.job import run_job, warm_up
from agent.logs import use_console_format
from agent.registration import Registration
from agent.room_life import dispatch_stands
from agent.rooms_on_the_way import RoomsOnTheWay
from agent.settings import AgentSettings
from agent.standing import Standings
from agent.twirp_room import TwirpRoom
from shared_settings.agent_signs import DISPATCH_ATTRIBUTE
from shared_settings.settings import LogFormat

logger = logging.getLogger(__name__)

# An agent's attribute, where LiveKit has regions: the one that its worker registered in. It need
# not be the room's, and nobody else tells it; `token-server doctor` compares them.
REGION_ATTRIBUTE = "worker.region"
_CANNOT_LISTEN: dict[int | None, str] = {
    errno.EADDRINUSE: "LIVEKIT_AGENT_PORT: another process has this port; set another one",
    errno.EADDRNOTAVAIL: "LIVEKIT_AGENT_HOST: this machine has no such address",
}
_NOT_FOLLOWED = (
    "VOICE_INSTRUCTIONS: the voice agent does not follow instructions in a job's metadata; backend"
    " takes them where this process has TOKEN_AUTH=key"
)


def agent_identity(agent_name: str, job_id: str) -> str:
    """Return the identity of a job's agent, which no other agent ever has.

    What is done to one then never strikes its successor: LiveKit finds jobs by identity, and puts
    out the older of two that have the same (livekit-behaviour 43, 45).
    """
    return f"agent-{agent_name or 'automatic'}-{job_id}"


class Worker(AgentServer):
    """An AgentServer that counts jobs instead of CPU and knows whether it failed."""

    def __init__(self, settings: AgentSettings) -> None:
        self._capacity = Capacity(settings.max_jobs, self._running_jobs)
        self._rooms_on_the_way = RoomsOnTheWay()
        self._dead_agents = DeadAgents(self._put_out)
        self._settings = settings
        self._region = ""
        self.has_failed = False
        super().__init__(
            ws_url=settings.livekit_url,
            api_key=settings.livekit_api_key,
            api_secret=settings.livekit_api_secret,
            # For asyncio `::` is IPv6 alone, and "" every address.
            host="" if settings.health_host == "::" else settings.health_host,
            port=settings.health_port,
            num_idle_processes=settings.idle_processes,
            drain_timeout=settings.drain_seconds,
            job_executor_type=JobExecutorType.PROCESS,
            setup_fnc=warm_up,
            load_fnc=self._capacity.load,
            # The SDK guesses what an accepted job will cost from the number of idle processes,
            # and turns an idle worker's second job of a moment away: we count for ourselves.
            load_threshold=float("inf"),
            # Imported once, by the process that every job process is a copy of.
            preload_modules=["agent.outlive_sigterm", run_job.__module__],
        )
        self.on("worker_started", self._watch_processes)
        self.on("worker_registered", self._on_worker_registered)
        self._standings = Standings(self, self._capacity, lambda: not self._connecting)
        self._registration = Registration(settings, self._standings.now)

    async def run(self, *, devmode: bool = False, unregistered: bool = False) -> None:
        """Run until closed; the command line of livekit-agents calls this once it logs."""
        if self._settings.log_format is LogFormat.CONSOLE and not devmode:
            use_console_format()
        if self._settings.voice_models and not self._settings.follows_instructions:
            logger.info(_NOT_FOLLOWED, extra={"setting": self._settings.voice_instructions.value})
        if not unregistered:
            self.once("worker_started", self._registration.start)
        try:
            await super().run(devmode=devmode, unregistered=unregistered)
            await self._dead_agents.aclose()
        except Exception as error:
            self.has_failed = True
            if isinstance(error, OSError) and (sentence := _CANNOT_LISTEN.get(error.errno)):
                logger.error(sentence)  # noqa: TRY400 (the caller logs the traceback)
            raise

    async def aclose(self) -> None:
        """Tell the token server that the worker goes, and close it.

        In this order: to close takes seconds, in which a platform may kill.
        """
        try:
            await self._registration.leave()
        finally:
            await super().aclose()

    async def answer(self, request: JobRequest) -> None:
        """Accept a job; pass it on when full, end one too many (livekit-behaviour 31)."""
        about = {
            "room": request.room.name,
            "job_id": request.id,
            "dispatch_id": request.job.dispatch_id,
        }
        logger.info("📥 JOB REQUEST RECEIVED!", extra=about)
        if self._capacity.is_full:
            logger.warning("job passed on, this worker is full", extra=about)
            await request.reject(terminate=False)
            return
        if await self._is_on_the_way(request.room):
            logger.warning("job ended, an agent is on its way to this room already", extra=about)
            await request.reject()
            return
        self._rooms_on_the_way.claim(request.room.sid, request.job.dispatch_id)
        with self._capacity.place_for(request.job):
            await request.accept(
                identity=agent_identity(request.agent_name, request.id),
                name=request.agent_name,
                attributes=self._first_attributes(request.job.dispatch_id),
            )

    async def _is_on_the_way(self, room: Room) -> bool:
        """Say whether an agent is; not one whose dispatch was taken back, who will stay out."""
        first = self._rooms_on_the_way.first(room.sid)
        if first is None:
            return False
        return await dispatch_stands(TwirpRoom(self._settings, room.name), first)

    def _running_jobs(self) -> list[Job]:
        return [running.job for running in self.active_jobs]

    def _first_attributes(self, dispatch_id: str) -> dict[str, str]:
        region = {REGION_ATTRIBUTE: self._region} if self._region else {}
        return {
            ATTRIBUTE_AGENT_STATE: "initializing",
            DISPATCH_ATTRIBUTE: dispatch_id,
            **region,
        }

    def _watch_processes(self) -> None:
        # The SDK's pool of job processes is the only one who says that one of them has ended.
        self._proc_pool.on("process_closed", self._on_process_closed)

    def _on_process_closed(self, process: ProcJobExecutor) -> None:
        job = process.running_job
        if job:
            # Who replaces an agent that died as it came is not one too many.
            self._rooms_on_the_way.release(job.job.room.sid)
        self._dead_agents.note_end(job, process.exitcode)

    async def _put_out(self, room_name: str, identity: str) -> None:
        await TwirpRoom(self._settings, room_name).put_out(identity)

    def _on_worker_registered(self, worker_id: str, server: ServerInfo) -> None:
        self._region = server.region
        about = {"registered_workers": 1, "worker_id": worker_id, "region": server.region}
        logger.info("registered worker", extra=about)


def build_worker(settings: AgentSettings) -> Worker:
    """Build the worker that these settings describe; it does nothing until it is run."""
    worker = Worker(settings)
    worker.rtc_session(
        functools.partial(run_job, settings=settings),
        agent_name=settings.registered_name,
        on_request=worker.answer,
    )
    return worker

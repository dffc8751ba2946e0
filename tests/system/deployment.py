"""A whole deployment on loopback: livekit-server, and the Procfile's web and worker."""

import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from livekit import api

from tests import plain_http
from tests.humans import Human, Humans
from tests.processes import (
    AGENT_NAME,
    API_KEY,
    API_SECRET,
    PLAINLY,
    LiveKitServer,
    Process,
    free_port,
    start_from_procfile,
    wait_until,
)
from token_server.livekit.port import Participant, ParticipantKind
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit

# What the keeper logs of a second dispatch beside one that is late.
HEDGED = "the one that stands is late"
OPERATOR_KEY = "operator"
# Each warm process takes processor time from the tests beside this one.
IDLE_PROCESSES = "2"
SOON = 12.0  # seconds, on a machine that is busy with other tests
HOLD = 1.5  # seconds that a state has to last to be called one


class Deployment:
    """Environment in, HTTP and rooms out, as an operator has it."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        *,
        webhook_url: str = "",
    ) -> None:
        self._folder = folder
        self.webhook_port = free_port()
        self.http = plain_http.Client(timeout=15)
        self._move_web(self.webhook_port)
        self._webhook_urls = [webhook_url or f"{self.web_url}/webhook"]
        self._settings = dict(settings or {})
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        self.livekit = self._ends.enter_context(self._livekit())
        self.rooms = TwirpLiveKit(Twirp(self.livekit.url, API_KEY, API_SECRET))
        self.humans = Humans().__enter__()
        try:
            self.web = self.start_web()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # People first: a worker that is stopped waits for its calls to end.
        self.humans.__exit__()
        self.http.close()
        # And LiveKit: `web` waits for what it keeps open, `worker` for its agents to leave.
        self.livekit.process.stop()
        self._ends.close()

    def with_web(self) -> Self:
        """Start `web` again, if it has ended."""
        if self.web.popen.poll() is not None:
            self.start_web()
        return self

    def with_worker(self) -> Self:
        """Start the worker too, or again, and wait until it is registered."""
        worker: Process | None = getattr(self, "worker", None)
        if worker is None or worker.popen.poll() is not None:
            self.start_worker()
        return self

    def vacate(self) -> None:
        """Leave nobody, no room, and at last no `web`: another may take its place."""
        self.humans.leave()
        for room in self.rooms.list_rooms():
            self.end_room(room.room_name)
        self.web.stop()

    def start_web(
        self, how: str = PLAINLY, *, hears_webhooks: bool = True, **settings: str
    ) -> Process:
        """Start `web`, perhaps where LiveKit's webhooks do not go, and wait until it answers."""
        self._move_web(self.webhook_port if hears_webhooks else free_port())
        environ = self._environ() | {"PORT": str(self.web_port)} | settings
        web = start_from_procfile("web", environ, self._folder / "web.log", how)
        self._ends.callback(web.stop)
        self.wait(self._is_alive, 20, "web answers")
        self.web = web
        return web

    def start_worker(self, **settings: str) -> Process:
        """Start `worker` (another one, if there is one), and wait until it is registered."""
        environ = {"LIVEKIT_AGENT_IDLE_PROCESSES": IDLE_PROCESSES, **self._environ()}
        self.worker_port = free_port()
        environ |= {"PORT": str(self.webhook_port), "LIVEKIT_AGENT_PORT": str(self.worker_port)}
        environ |= settings
        worker = start_from_procfile("worker", environ, self._folder / "worker.log")
        self._ends.callback(worker.kill)
        worker.wait_for_output("registered worker", within=60)
        self.worker = worker
        return worker

    def adopt_worker(self, worker: Process) -> None:
        """Have a worker that somebody else has started, with the same settings, from now on."""
        self._ends.callback(worker.kill)
        self.worker = worker

    def kill_web(self) -> None:
        """End `web` the hard way."""
        self.web.stop(signal.SIGKILL)

    def token(self, room_name: str, identity: str = "alice", **fields: Any) -> str:  # noqa: ANN401
        """Fetch a token as a frontend does."""
        body = {"room_name": room_name, "participant_identity": identity, **fields}
        answer = self.http.post("/token", json=body)
        assert answer.status == HTTPStatus.CREATED, answer.data
        return str(answer.json()["participant_token"])

    def join(self, room_name: str, identity: str = "alice", **fields: Any) -> Human:  # noqa: ANN401
        """Fetch a token and join with it."""
        return self.enter(self.token(room_name, identity, **fields))[0]

    def enter(self, *tokens: str) -> Sequence[Human]:
        """Join with tokens, all at the same moment."""
        return self.humans.join(self.livekit.url, *tokens)

    def agents(self, room_name: str, agent_name: str = AGENT_NAME) -> list[Participant]:
        """Return the agents of that name in the room, by the attribute that LiveKit sets."""
        return [
            participant
            for participant in self.rooms.list_participants(room_name)
            if participant.kind is ParticipantKind.AGENT and participant.agent_name == agent_name
        ]

    def wait_for_one_agent(
        self, room_name: str, within: float = SOON, agent_name: str = AGENT_NAME
    ) -> None:
        """Wait until exactly one agent is there; that it stays so, the humans see (humans.py)."""

        def is_one() -> bool:
            return len(self.agents(room_name, agent_name)) == 1

        self.wait(is_one, within, f"one agent in {room_name}")

    def wait_for_no_agent(self, room_name: str, within: float = SOON) -> None:
        """Wait until no agent is in the room."""
        self.wait(lambda: not self.agents(room_name), within, f"no agent in {room_name}")

    def see_that(self, holds: Callable[[], bool], what: str, seconds: float = HOLD) -> None:
        """See that something holds, again and again, for so long."""
        try:
            wait_until(lambda: not holds(), within=seconds, what="")
        except AssertionError:
            return
        raise AssertionError(f"no longer: {what}\n{self.logs()}")

    def job_requests(self, room_name: str) -> int:
        """Return how many job requests the workers have logged for the room."""
        return self.count("worker.log", "JOB REQUEST RECEIVED", room_name)

    def hedges(self, room_name: str) -> int:
        """Return how many dispatches were sent beside one that this machine was slow with."""
        return self.count("web.log", HEDGED, room_name)

    def jobs_wanted(self, room_name: str) -> range:
        """Return how many jobs there would have been without hedges: at least, and at most.

        Of a hedge and the dispatch beside it, LiveKit may offer one job or two. Where a worker is
        there all the time: what nobody takes is hedged again and again.
        """
        most = self.job_requests(room_name)
        return range(most - self.hedges(room_name), most + 1)

    def count(self, log_name: str, *phrases: str) -> int:
        """Return how many lines of a log have all of these phrases."""
        log = self._folder / log_name
        lines = log.read_text().splitlines() if log.exists() else []
        return sum(all(phrase in line for phrase in phrases) for line in lines)

    def agent(self, room_name: str) -> Participant:
        """Return the one agent in the room."""
        (agent,) = self.agents(room_name)
        return agent

    def wait_for_other_agent(self, room_name: str, than: Participant) -> None:
        """Wait until an agent is there that is not this one."""

        def has_come() -> bool:
            sids = {agent.participant_sid for agent in self.agents(room_name)}
            return bool(sids - {than.participant_sid})

        self.wait(has_come, SOON, f"another agent in {room_name}")

    def end_room(self, room_name: str) -> None:
        """End a room as an operator's script does, with everybody in it."""
        token = api.AccessToken(API_KEY, API_SECRET).with_grants(api.VideoGrants(room_create=True))
        answer = plain_http.post(
            f"{self.livekit.url.replace('ws', 'http')}/twirp/livekit.RoomService/DeleteRoom",
            json={"room": room_name},
            headers={"Authorization": f"Bearer {token.to_jwt()}"},
        )
        # It may just have ended by itself.
        assert answer.status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND), answer.data
        self.wait_for_end(room_name)

    def wait_for_end(self, room_name: str) -> None:
        """Wait until the room is gone."""
        self.wait(lambda: not self.rooms.list_rooms([room_name]), SOON, f"the end of {room_name}")

    def foreign_token(self, room_name: str) -> str:
        """Mint a token that the token server knows nothing of."""
        return _foreign(room_name, "caller").to_jwt()

    def call(self, room_name: str) -> Human:
        """Join as LiveKit's gateway does for somebody who has rung up."""
        token = _foreign(room_name, "sip_+4930123456").with_kind("sip")
        return self.enter(token.to_jwt())[0]

    def wait(self, holds: Callable[[], bool], within: float, what: str) -> None:
        """Wait until it holds; fail with the logs."""
        try:
            wait_until(holds, within=within, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None

    def logs(self) -> str:
        """Return the last of what web and worker have printed."""
        logs = sorted(self._folder.glob("w*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in logs)

    def _move_web(self, port: int) -> None:
        self.web_port, self.web_url = port, f"http://127.0.0.1:{port}"
        self.http.base_url = self.web_url

    def _is_alive(self) -> bool:
        return self.http.is_ok("/healthz")

    def _livekit(self) -> LiveKitServer:
        return LiveKitServer(self._folder, webhook_urls=self._webhook_urls)

    def _environ(self) -> dict[str, str]:
        return self.livekit.environ() | self._settings


def _foreign(room_name: str, identity: str) -> api.AccessToken:
    grants = api.VideoGrants(room_join=True, room=room_name)
    return api.AccessToken(API_KEY, API_SECRET).with_identity(identity).with_grants(grants)

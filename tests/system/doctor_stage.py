"""What the doctor's system tests share: stacks with one thing wrong, and what it says of them."""

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tests import plain_http
from tests.processes import (
    API_KEY,
    API_SECRET,
    LiveKitServer,
    Process,
    free_port,
    start_from_procfile,
    wait_until,
)
from tests.system.deployment import IDLE_PROCESSES, Deployment
from tests.system.quick_command import run_quickly
from token_server.cli.doctor.probing import ProbedLiveKit
from token_server.livekit.port import ParticipantKind
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit

OPERATOR_KEY = "an-operators-key"
OTHER_KEY, OTHER_SECRET = "otherkey", "another-made-up-secret-of-more-than-32-bytes"
LONGEST = 15.0  # seconds
COMMAND = ["token-server", "doctor"]


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor said."""

    exit_code: int
    content: dict[str, Any]
    printed: str
    seconds: float

    def causes(self, *findings: str) -> list[str]:
        """Return the causes of checks with these findings: wrong or unknown, if not told."""
        return [check["cause"] for check in self.troubles(*findings)]

    def troubles(self, *findings: str) -> list[dict[str, Any]]:
        """Return the checks with these findings: wrong or unknown, if not told."""
        wanted = findings or ("wrong", "unknown")
        return [check for check in self.content["checks"] if check["finding"] in wanted]

    def text(self, cause: str) -> str:
        """Return all that was said about a cause."""
        return next(
            "\n".join([check["says"], *check["evidence"], check["cure"]])
            for check in self.content["checks"]
            if check["cause"] == cause
        )


class ChangedLiveKit(LiveKitServer):
    """A livekit-server whose configuration is changed before it starts."""

    def __init__(self, folder: Path, changes: Mapping[str, Any], **options: Any) -> None:  # noqa: ANN401
        self._changes = changes
        super().__init__(folder, **options)

    def start(self) -> None:
        """Merge the changes into the sections, then start."""
        self._config.write_text(json.dumps(merged(self.configuration, self._changes)))
        self._changes = {}
        super().start()


def merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with changes, each at its place in its section."""
    both = dict(settings)
    for name, value in changes.items():
        known = both.get(name)
        is_section = isinstance(known, dict) and isinstance(value, dict)
        both[name] = merged(known, value) if known and is_section else value
    return both


class Stack:
    """livekit-server, `web` and perhaps a worker; a context manager that ends them all."""

    def __init__(
        self,
        folder: Path,
        *,
        livekit: Mapping[str, Any] | None = None,
        redis_address: str = "",
    ) -> None:
        self._folder, self._ends = folder, ExitStack()
        self.logs = {"web": folder / "web.log", "worker": folder / "worker.log"}
        self.worker: Process | None = None
        self.web_port, self.worker_port = free_port(), free_port()
        self.web_url = f"http://127.0.0.1:{self.web_port}"
        urls = [f"{self.web_url}/webhook"]
        self.livekit: LiveKitServer = self._ends.enter_context(
            ChangedLiveKit(folder, livekit or {}, webhook_urls=urls, redis_address=redis_address)
        )
        self.rooms = TwirpLiveKit(Twirp(self.livekit.url, API_KEY, API_SECRET))
        self.web: Process | None = None

    @property
    def environ(self) -> dict[str, str]:
        """What all parts, and the doctor, are started with."""
        return self.livekit.environ() | {
            "OPERATOR_KEY": OPERATOR_KEY,
            "PORT": str(self.web_port),
            "LIVEKIT_AGENT_PORT": str(self.worker_port),
            "LIVEKIT_AGENT_IDLE_PROCESSES": "1",
            "WEB_CONCURRENCY": "1",
        }

    def with_web(self, **settings: str) -> Self:
        """Start `web` (anew, if it runs), with these settings changed."""
        if self.web:
            self.web.stop()
        self.web = start_from_procfile("web", self.environ | settings, self._folder / "web.log")
        self._ends.callback(self.web.stop)
        wait_until(self._is_alive, within=20, what=f"web answers\n{self.web.output()}")
        return self

    def with_worker(self, *, troubled: bool = False, **settings: str) -> Self:
        """Start the Procfile's worker, or a troubled one, with these settings changed."""
        environ, log = self.environ | settings, self._folder / "worker.log"
        if troubled:
            command = ["python", "-m", "tests.system.troubled_worker", "start"]
            worker = Process(command, environ, log)
        else:
            worker = start_from_procfile("worker", environ, log)
        self._ends.callback(worker.kill)
        self.worker = worker
        worker.wait_for_output("registered worker", within=60)
        return self

    def start_doctor(self, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
        """Start the command."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.environ | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def diagnose(self, *arguments: str, **settings: str) -> Diagnosis:
        """Run the doctor to its end, with these settings changed; see that it leaves no room."""
        return self.examine(arguments, self.environ | settings)

    def examine(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        folder: Path | None = None,
        *,
        may_leave_rooms: bool = False,
    ) -> Diagnosis:
        """Run the doctor with this environment, in this folder."""
        started = time.monotonic()
        code, printed, errors = run_quickly(["doctor", "--json", *arguments], environ, folder)
        seconds = time.monotonic() - started
        assert not errors, errors
        diagnosis = Diagnosis(code, json.loads(printed), printed, seconds)
        left = [room for room in self.room_names() if room.startswith("doctor-")]
        assert may_leave_rooms or not left
        for room_name in left:
            ProbedLiveKit(Twirp(self.livekit.url, API_KEY, API_SECRET)).clear(room_name)
        assert diagnosis.content["seconds"] < LONGEST, printed
        for secret in (API_SECRET, OTHER_SECRET, OPERATOR_KEY, "eyJ"):
            assert secret not in printed
        return diagnosis

    def token(self, room_name: str) -> str:
        """Fetch a token as a frontend does."""
        answer = plain_http.post(f"{self.web_url}/token", json={"room_name": room_name})
        return str(answer.json()["participant_token"])

    def has_agent(self, room_name: str) -> bool:
        """Whether any agent is in a room."""
        participants = self.rooms.list_participants(room_name)
        return any(one.kind is ParticipantKind.AGENT for one in participants)

    def is_visited(self, room_name: str) -> bool:
        """Whether it is a doctor's room, and the doctor's human is in it."""
        participants = self.rooms.list_participants(room_name)
        return room_name in {one.participant_identity for one in participants}

    def view(self, room_name: str) -> dict[str, Any]:
        """Return what the server shows its operator of a room."""
        headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
        url = f"{self.web_url}/rooms/{room_name}"
        shown: dict[str, Any] = plain_http.get(url, headers=headers).json()
        return shown

    def worker_states(self) -> list[str]:
        """Return how the workers are that have told the server."""
        headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
        told = plain_http.get(f"{self.web_url}/workers", headers=headers).json()
        return [worker["state"] for worker in told["workers"]]

    def seconds_empty(self, room_name: str) -> float:
        """Return for how long nobody has been in a live room, by its timeline; 0 if unknown."""
        timeline = self.view(room_name)["timeline"]
        left_at = [entry["at"] for entry in timeline if entry["event"] == "left"]
        if not left_at:
            return 0.0
        return (datetime.now(UTC) - datetime.fromisoformat(max(left_at))).total_seconds()

    def room_names(self) -> Sequence[str]:
        """Return the live rooms' names."""
        return [room.room_name for room in self.rooms.list_rooms()]

    def _is_alive(self) -> bool:
        return plain_http.is_ok(f"{self.web_url}/healthz")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()


class BorrowedStack(Stack):
    """The LiveKit and the worker of a deployment, with a `web` that knows nothing of before."""

    def __init__(self, lender: Deployment, folder: Path, *, hears_webhooks: bool = True) -> None:
        lender.with_worker().vacate()
        self._lender, self._folder, self._ends = lender, folder, ExitStack()
        self.web_port = lender.webhook_port if hears_webhooks else free_port()
        self.worker_port = lender.worker_port
        self.web_url = f"http://127.0.0.1:{self.web_port}"
        self.livekit, self.rooms = lender.livekit, lender.rooms
        self.web, self.worker = lender.web, lender.worker
        self.logs = {"web": folder / "web.log", "worker": lender.worker.log}

    @property
    def environ(self) -> dict[str, str]:
        """What is started here; where its processes meet, none has been."""
        own = {"TMPDIR": str(self._folder), "LIVEKIT_AGENT_IDLE_PROCESSES": IDLE_PROCESSES}
        return super().environ | own

    def __exit__(self, *_: object) -> None:
        with self._ends:  # rooms first: what LiveKit tells of their end has its receiver
            self._lender.vacate()

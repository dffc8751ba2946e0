"""The whole system: livekit-server, and what the Procfile starts, with the page."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livekit import api

from tests import plain_http
from tests.processes import (
    API_KEY,
    API_SECRET,
    ROOT,
    LiveKitServer,
    Process,
    free_port,
    start_from_procfile,
    wait_until,
)

PAGE = ROOT / "token_server/http_api/page/index.html"


@dataclass(frozen=True)
class RunningSystem:
    """Where the running processes are."""

    page_url: str
    livekit: LiveKitServer
    worker: Process | None

    def agents_in(self, room_name: str) -> list[dict[str, Any]]:
        """Return the agents that LiveKit lists in the room."""
        return [one for one in self.participants(room_name) if one.get("kind") == "AGENT"]

    def participants(self, room_name: str) -> list[dict[str, Any]]:
        """Return whom LiveKit lists in the room."""
        found: list[dict[str, Any]] = self._ask_livekit("ListParticipants", room_name).get(
            "participants", []
        )
        return found

    def set_attributes(
        self, room_name: str, participant_identity: str, attributes: dict[str, str]
    ) -> None:
        """Give a participant these attributes beside their own."""
        self._ask_livekit(
            "UpdateParticipant", room_name, identity=participant_identity, attributes=attributes
        )

    def delete_room(self, room_name: str) -> None:
        """End the room for everybody."""
        self._ask_livekit("DeleteRoom", room_name)

    def remove(self, room_name: str, participant_identity: str) -> None:
        """Put a participant out of the room."""
        self._ask_livekit("RemoveParticipant", room_name, identity=participant_identity)

    def _ask_livekit(self, method: str, room_name: str, **fields: object) -> dict[str, Any]:
        grants = api.VideoGrants(room_admin=True, room_create=True, room=room_name)
        token = api.AccessToken(API_KEY, API_SECRET).with_grants(grants).to_jwt()
        # https://docs.livekit.io/home/server/managing-participants/ over Twirp's JSON: livekit-api
        # is asyncio only, which does not live in one thread with playwright's synchronous API.
        answer = plain_http.post(
            f"http://127.0.0.1:{self.livekit.port}/twirp/livekit.RoomService/{method}",
            json={"room": room_name, **fields},
            headers={"Authorization": f"Bearer {token}"},
        )
        body: dict[str, Any] = plain_http.good(answer).json()
        return body


@contextlib.contextmanager
def running_system(folder: Path, *, has_worker: bool, **settings: str) -> Iterator[RunningSystem]:
    """Start livekit-server, web and (perhaps) worker; they run when the block begins."""
    port = free_port()
    page_url = f"http://127.0.0.1:{port}/"
    with contextlib.ExitStack() as running:
        livekit = running.enter_context(
            LiveKitServer(folder, webhook_urls=[f"{page_url}webhook"]),
        )
        more = {"DEMO": "1", "PORT": str(port), "LIVEKIT_AGENT_PORT": str(free_port())}
        environ = livekit.environ() | more | settings
        worker = None
        if has_worker:
            worker = start_from_procfile("worker", environ, folder / "worker.log")
            running.enter_context(worker)
        web = running.enter_context(start_from_procfile("web", environ, folder / "web.log"))
        ready = f"{page_url}readyz"
        wait_until(lambda: plain_http.is_ok(ready), within=30, what=f"web is ready\n{web.output()}")
        if worker:
            worker.wait_for_output("registered worker")
        yield RunningSystem(page_url, livekit, worker)

"""What LiveKit says of why an agent has left: who means it, who was put out, who has failed."""

import json
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from livekit.protocol.room import DeleteRoomRequest, DeleteRoomResponse

from tests.contract.ending_worker import NAME
from tests.loopback import Loopback
from tests.processes import API_KEY, API_SECRET, LiveKitServer, Process, free_port, wait_until
from token_server.livekit.port import AgentOrder
from token_server.livekit.twirp import Method, Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit

pytestmark = pytest.mark.live


class Webhooks(Loopback):
    """Takes LiveKit's webhooks, and remembers who has come and why they have left."""

    def __init__(self) -> None:
        self.joined: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        webhooks = self

        class Handler(BaseHTTPRequestHandler):
            """Takes one."""

            def do_POST(self) -> None:
                """Note who has come or left."""
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if "participant" in event:
                    webhooks.note(event["event"], event["room"]["name"], event["participant"])
                self.send_response_only(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        super().__init__(Handler)

    def note(self, event: str, room_name: str, participant: Mapping[str, Any]) -> None:
        """Remember an identity or a reason; protobuf's JSON leaves out the unknown one."""
        if event == "participant_joined":
            self.joined[room_name] = participant["identity"]
        if event == "participant_left":
            self.reasons[room_name] = participant.get("disconnectReason", "UNKNOWN_REASON")


@dataclass(frozen=True)
class Stage:
    """A LiveKit, its webhooks, and a worker whose jobs end as they are told."""

    twirp: Twirp
    webhooks: Webhooks
    worker: Process

    @property
    def livekit(self) -> TwirpLiveKit:
        """The port."""
        return TwirpLiveKit(self.twirp)

    def send(self, room_name: str, how: str) -> str:
        """Send an agent into a room; return the dispatch's id."""
        order = AgentOrder(agent_name=NAME, metadata=how)
        return self.livekit.create_dispatch(room_name, order).dispatch_id

    def agent(self, room_name: str) -> str:
        """Return the agent's identity as soon as its media is up."""
        return wait_until(
            lambda: self.webhooks.joined.get(room_name, ""),
            within=15,
            what=f"the agent\n{self.worker.output()}",
        )

    def reason(self, room_name: str) -> str:
        """Return why the room's agent has left."""
        return wait_until(
            lambda: self.webhooks.reasons.get(room_name, ""), within=15, what="its leaving"
        )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start everything once."""
    folder = tmp_path_factory.mktemp("endings")
    with ExitStack() as ends:
        webhooks = ends.enter_context(Webhooks())
        url = f"http://127.0.0.1:{webhooks.port}/webhook"
        server = ends.enter_context(LiveKitServer(folder, webhook_urls=[url]))
        environ = server.environ() | {"LIVEKIT_AGENT_PORT": str(free_port())}
        command = [sys.executable, "-m", "tests.contract.ending_worker", "start"]
        worker = ends.enter_context(Process(command, environ, folder / "worker.log"))
        worker.wait_for_output("registered worker", within=60)
        yield Stage(Twirp(server.url, API_KEY, API_SECRET), webhooks, worker)


@pytest.fixture
def room_name() -> str:
    """A name that no room has yet."""
    return f"room-{uuid.uuid4()}"


@pytest.mark.parametrize("how", ["shuts down", "raises"])
def test_an_agent_that_means_to_leave_and_one_that_fails_look_the_same(
    stage: Stage, room_name: str, how: str
) -> None:
    """Why an agent has to say that an end is meant (livekit-behaviour 49): it releases humans."""
    stage.send(room_name, how)

    stage.livekit.set_attributes(room_name, stage.agent(room_name), {"end": "now"})

    assert "CLIENT_INITIATED" == stage.reason(room_name)


def remove_agent(stage: Stage, room_name: str, _: str) -> None:
    """Put it out, as the keeper does with one too many."""
    stage.livekit.remove_participant(room_name, stage.agent(room_name))


def delete_dispatch(stage: Stage, room_name: str, dispatch_id: str) -> None:
    """Take its dispatch back."""
    stage.livekit.delete_dispatch(room_name, dispatch_id)


def delete_room(stage: Stage, room_name: str, _: str) -> None:
    """End the room for everybody, as EndCallTool does."""
    method = Method("RoomService/DeleteRoom", DeleteRoomResponse)
    stage.twirp.call(method, DeleteRoomRequest(room=room_name), {"roomCreate": True})


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (remove_agent, "PARTICIPANT_REMOVED"),
        (delete_dispatch, "CLIENT_INITIATED"),
        (delete_room, "ROOM_DELETED"),
    ],
)
def test_an_agent_that_was_put_out_has_not_left_by_itself(
    stage: Stage, room_name: str, end: Callable[[Stage, str, str], None], reason: str
) -> None:
    """But for one whose dispatch is deleted: its job leaves when told (livekit-behaviour 49)."""
    dispatch_id = stage.send(room_name, "waits")
    stage.agent(room_name)

    end(stage, room_name, dispatch_id)

    assert reason == stage.reason(room_name)

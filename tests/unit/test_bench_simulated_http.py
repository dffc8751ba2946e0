"""What comes and goes over HTTP at the simulated LiveKit of `make bench`."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest

from bench.simulated.door import Door
from bench.simulated.listing import Listing
from bench.simulated.simulation import Shape, Simulation
from bench.simulated.told import Told
from bench.simulated.workers import Pool
from tests.loopback import Loopback
from tests.model.clock import Clock
from tests.processes import API_KEY, API_SECRET, wait_until
from token_server.livekit.admin_tokens import admin_token
from token_server.livekit.port import Participant, ParticipantKind, Room
from token_server.livekit.signed_bodies import SignedBodies

AGENT = "tutor"


def test_rooms_are_counted_late() -> None:
    """At the next of LiveKit's counts, every 5 s; an agent as a publisher (livekit-behaviour 6)."""
    clock = Clock()
    listing = Listing(lambda: clock.now)
    now = datetime.now(UTC)
    listing.room_began(Room(room_name="kitchen", room_sid="RM_1", created_at=now))
    human = Participant(
        participant_identity="alice",
        participant_sid="PA_1",
        kind=ParticipantKind.HUMAN,
        joined_at=now,
    )
    clock.run_for(3)
    listing.changed("kitchen", human, is_here=True)
    listing.changed("kitchen", replace(human, kind=ParticipantKind.AGENT), is_here=True)

    def counted() -> tuple[int, int]:
        clock.run_for(1)
        (room,) = listing.answer(()).rooms
        return room.num_participants, room.num_publishers

    assert [(0, 0), (1, 2), (1, 2)] == [counted() for _ in range(3)]


def token(secret: str = API_SECRET, key: str = API_KEY, **grants: bool | str) -> str:
    """Return the header of a request."""
    return f"Bearer {admin_token(key, secret, datetime.now(UTC), grants)}"


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        (token(secret="another-secret-of-more-than-thirty-two-bytes"), "invalid token: "),
        (token(key="another"), "invalid API key"),
        ("", "invalid token: "),
        (token(roomAdmin=True, room="hall"), "permissions denied"),
        (token(roomList=True), "permissions denied"),
    ],
)
def test_who_may_not_ask_is_refused_as_livekit_does(authorization: str, words: str) -> None:
    """The doctor knows it by these words (livekit-behaviour 81)."""
    refusal = Door(API_KEY, API_SECRET).refusal(authorization, "roomAdmin", "kitchen")

    assert refusal
    assert (401, True) == (refusal.status, refusal.msg.startswith(words))


def test_beyond_the_quota_requests_are_refused_for_a_minute() -> None:
    """LiveKit Cloud counts by the minute (livekit-behaviour 100)."""
    clock = Clock()
    door = Door(API_KEY, API_SECRET, lambda: clock.now)
    door.quota = 2
    authorization = token(roomList=True)

    def statuses(times: int) -> list[int]:
        refusals = [door.refusal(authorization, "roomList", "") for _ in range(times)]
        return [refusal.status if refusal else 200 for refusal in refusals]

    first = statuses(3)
    clock.run_for(61)

    assert ([200, 200, 429], [200]) == (first, statuses(1))


def test_who_looks_at_which_room_is_known_by_the_proxy_that_they_think_we_are() -> None:
    """Two groups of processes ask with the same key."""
    clock = Clock()
    told = Told(lambda: clock.now)
    one, two = (f"Basic {base64.b64encode(f'{who}:x'.encode()).decode()}" for who in ("a", "b"))
    told.asked("ListParticipants", "kitchen", one)
    clock.run_for(5)
    told.asked("PerformRpc", "hall", two)
    told.asked("ListRooms", "", two)

    assert {"a": [], "b": ["hall"]} == told.looked_since(clock.now - 1)


class Listener(Loopback):
    """Takes webhooks that are signed with our key, and remembers their events in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        listener, bodies = self, SignedBodies({API_KEY: API_SECRET}, "LiveKit's signature")

        class Handler(BaseHTTPRequestHandler):
            """Takes one."""

            def do_POST(self) -> None:
                """Verify it as the product does."""
                length = int(self.headers["Content-Length"])
                body = bodies.read(lambda: self.rfile.read(length), self.headers["Authorization"])
                listener.events.append(json.loads(body)["event"])
                self.send_response_only(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        super().__init__(Handler)


def test_webhooks_come_signed_and_in_order_until_they_are_lost() -> None:
    """The product under measurement verifies them (livekit-behaviour 51, 52)."""

    async def happen(url: str) -> None:
        pool = Pool(agent_name=AGENT)
        shape = Shape(api_key=API_KEY, api_secret=API_SECRET, webhook_url=url, pool=pool)
        clock = Clock()
        simulation = Simulation(shape, clock.after)
        simulation.enter("kitchen")
        clock.run_for(1)
        simulation.rooms.leave("kitchen", "human-of-kitchen")
        await asyncio.to_thread(
            wait_until, lambda: simulation.webhooks.sent == 3, within=10, what="three webhooks"
        )
        simulation.webhooks.are_lost = True
        simulation.enter("hall")
        clock.run_for(1)
        await asyncio.sleep(0.02)
        await simulation.webhooks.close()

    with Listener() as listener:
        asyncio.run(asyncio.wait_for(happen(f"http://127.0.0.1:{listener.port}/webhook"), 20))

    assert ["room_started", "participant_joined", "participant_left"] == listener.events

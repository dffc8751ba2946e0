"""LiveKit's longest answers: read from a connection, and made into plain values."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from livekit.protocol import models
from livekit.protocol.room import ListParticipantsResponse, ListRoomsResponse

from tests.processes import API_KEY, API_SECRET
from tests.twirp_server import TwirpServer, answer
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit

ROOMS, PARTICIPANTS = 5_000, 500
_ATTRIBUTES = {"lk.agent.name": "tutor", "ticket": "t" * 300}


@contextmanager
def livekit() -> Iterator[Mapping[str, Callable[[], Callable[[], object]]]]:
    """Serve the answers, and yield what is asked."""
    rooms = ListRoomsResponse(
        rooms=[
            models.Room(sid=f"RM_{n}", name=f"room-{n}", creation_time_ms=n, num_participants=2)
            for n in range(ROOMS)
        ]
    )
    participants = ListParticipantsResponse(
        participants=[
            models.ParticipantInfo(sid=f"PA_{n}", identity=f"human-{n}", attributes=_ATTRIBUTES)
            for n in range(PARTICIPANTS)
        ]
    )
    with TwirpServer(answer(rooms)) as some, TwirpServer(answer(participants)) as others:
        list_rooms, list_participants = _rooms(some).list_rooms, _rooms(others).list_participants
        yield {
            f"LiveKit: ListRooms, {ROOMS:,} rooms": lambda: list_rooms,
            f"LiveKit: ListParticipants, {PARTICIPANTS:,} of them": lambda: partial(
                list_participants, "kitchen"
            ),
        }


def _rooms(server: TwirpServer) -> TwirpLiveKit:
    return TwirpLiveKit(Twirp(server.url, API_KEY, API_SECRET))

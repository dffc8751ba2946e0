"""The two LiveKits that the contract suite asks, and humans for their rooms."""

from collections.abc import Sequence
from typing import Protocol

from livekit import api

from tests.fakes import FakeLiveKit
from tests.humans import Humans
from tests.processes import API_KEY, API_SECRET, LiveKitServer, wait_until
from token_server.livekit.port import Dispatch, LiveKit
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit


class Peer(Protocol):
    """A LiveKit behind the port, which humans can join."""

    @property
    def rooms(self) -> LiveKit:
        """The port."""

    def join(self, room_name: str, identity: str, attributes: dict[str, str]) -> None:
        """Send a human into a room and wait until they are there."""

    def dispatches(self, room_name: str, count: int) -> Sequence[Dispatch]:
        """Return the room's dispatches as soon as there are so many."""


class FakePeer:
    """The fake."""

    def __init__(self) -> None:
        self.rooms = FakeLiveKit()

    def join(self, room_name: str, identity: str, attributes: dict[str, str]) -> None:
        self.rooms.join(room_name, identity, attributes)

    def dispatches(self, room_name: str, count: int) -> Sequence[Dispatch]:
        found = self.rooms.list_dispatches(room_name)
        assert len(found) >= count
        return found


class RealPeer:
    """A real livekit-server, joined with LiveKit's own Python client."""

    def __init__(self, server: LiveKitServer, humans: Humans) -> None:
        self._url, self._humans = server.url, humans
        self.rooms = TwirpLiveKit(Twirp(server.url, API_KEY, API_SECRET))

    def join(self, room_name: str, identity: str, attributes: dict[str, str]) -> None:
        token = (
            api.AccessToken(API_KEY, API_SECRET)
            .with_identity(identity)
            .with_attributes(attributes)
            .with_grants(api.VideoGrants(room_join=True, room=room_name))
            .to_jwt()
        )
        self._humans.join(self._url, token)

        def is_there() -> bool:
            found = self.rooms.list_participants(room_name)
            return attributes in [p.attributes for p in found if p.participant_identity == identity]

        wait_until(is_there, within=5, what=f"{identity} is in the room")

    def dispatches(self, room_name: str, count: int) -> Sequence[Dispatch]:
        def enough() -> Sequence[Dispatch]:
            found = self.rooms.list_dispatches(room_name)
            return found if len(found) >= count else ()

        return wait_until(enough, within=5, what=f"{count} dispatches")

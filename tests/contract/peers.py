"""The LiveKits that the contract suite asks, and humans for their rooms."""

from collections.abc import Sequence
from typing import Protocol

from livekit import api

from bench.simulated.client import SimulatedLiveKit
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


class _PeerWithUrl:
    """One that is asked over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.rooms = TwirpLiveKit(Twirp(url, API_KEY, API_SECRET))

    def dispatches(self, room_name: str, count: int) -> Sequence[Dispatch]:
        def enough() -> Sequence[Dispatch]:
            found = self.rooms.list_dispatches(room_name)
            return found if len(found) >= count else ()

        return wait_until(enough, within=5, what=f"{count} dispatches")


class SimulatedPeer(_PeerWithUrl):
    """The simulated one, which the measurements use."""

    def __init__(self, simulated: SimulatedLiveKit) -> None:
        super().__init__(simulated.url)
        self._simulated = simulated

    def join(self, room_name: str, identity: str, attributes: dict[str, str]) -> None:
        self._simulated.do("join", room_name=room_name, identity=identity, attributes=attributes)


class RealPeer(_PeerWithUrl):
    """A real livekit-server, joined with LiveKit's own Python client."""

    def __init__(self, server: LiveKitServer, humans: Humans) -> None:
        super().__init__(server.url)
        self._humans = humans

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

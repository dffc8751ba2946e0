"""SESSIONS_PER_CALLER: how many live rooms one person may have at a time."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from token_server.auth.admission import Person
from token_server.errors import TokenServerError, TooManyRequestsError
from token_server.livekit.port import LiveKit
from token_server.settings import Settings
from token_server.state.sessions import MADE, Claim, Outcome, SessionStore

# Milliseconds that a room counts while LiveKit makes it, since it is not listed yet: CreateRoom has
# 5 s. Else whoever asks many times at once would have as many rooms.
_BEING_MADE = 10_000


class SessionLimit:
    """Refuses a person's next room while they have as many live ones as they may.

    The store says which rooms a person has got tokens for, LiveKit which of these live. It is asked
    when they are as many as there may be, and not before.

    Args:
        settings: SESSIONS_PER_CALLER, 0 for no limit; ROOM_DEPARTURE_TIMEOUT_SECONDS.
        store: Whose rooms are which.
        livekit: LiveKit.
    """

    def __init__(self, settings: Settings, store: SessionStore, livekit: LiveKit) -> None:
        self._most, self._store, self._livekit = settings.sessions_per_caller, store, livekit
        # A room that is left now ends then.
        self._retry_after = math.ceil(settings.room_departure_timeout.total_seconds())

    @contextmanager
    def claim(self, person: Person | None, room_name: str) -> Iterator[None]:
        """Make a room one of a person's; it is none if what is done in the block fails.

        Args:
            person: None where it is not known who asks: they have no limit.
            room_name: The room that is made in the block.

        Raises:
            TooManyRequestsError: They have as many live rooms as they may, and it is none of them.
        """
        if not self._most or not person:
            yield
            return
        mark = hashlib.sha256(f"{person.kind}:{person.name}".encode()).hexdigest()[:32]
        claim = self._claim(person, mark, room_name)
        try:
            yield
        except BaseException:
            if claim.outcome is Outcome.NEW:
                self._store.forget(mark, {room_name: claim.at})
            raise
        self._store.made(mark, room_name, claim.at)

    def _claim(self, person: Person, mark: str, room_name: str) -> Claim:
        claim = self._store.claim(mark, room_name, self._most)
        if claim.outcome is not Outcome.FULL:
            return claim
        try:
            ended = self._ended(claim)
        except TokenServerError:
            # Not knowing which rooms live is no reason to refuse.
            return claim
        if ended:
            self._store.forget(mark, ended)
            claim = self._store.claim(mark, room_name, self._most)
        if claim.outcome is Outcome.FULL:
            raise TooManyRequestsError(
                f"too many live rooms of one {person.kind}: SESSIONS_PER_CALLER is {self._most}",
                self._retry_after,
            )
        return claim

    def _ended(self, claim: Claim) -> Mapping[str, int]:
        """Return those of the rooms that LiveKit does not have, or has not got in time."""
        # Either way: the clock may have been set back meanwhile.
        asked = [
            name
            for name, since in claim.rooms.items()
            if since == MADE or abs(claim.at - since) > _BEING_MADE
        ]
        # No names at all would mean all rooms.
        live = {room.room_name for room in self._livekit.list_rooms(asked)} if asked else set()
        return {name: claim.rooms[name] for name in asked if name not in live}

"""Processes of made-up machines that share a Redis: a folder is a machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from token_server.state.leases import LEASE_SECONDS
from token_server.state.machine_state import MachineState, file_lock
from token_server.state.redis_link import RedisLink
from token_server.state.redis_state import RedisState


class Machines:
    """As many machines as a test needs. A context manager: it closes every connection."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self._folder, self._redis_url = folder, redis_url
        self._links: list[RedisLink] = []

    def process(self, machine: str, *, lease_seconds: float = LEASE_SECONDS) -> RedisState:
        """Start a process on a machine."""
        (self._folder / machine).mkdir(exist_ok=True)
        state = MachineState(self._folder / machine)
        prefix = f"token-server:{self._folder.name}:"
        return RedisState(state, self.link(machine), prefix, lease_seconds)

    def link(
        self,
        machine: str,
        try_again_after: float = 0.0,
        tell: Callable[[float], None] = lambda _: None,
    ) -> RedisLink:
        """Connect a process of a machine."""
        (self._folder / machine).mkdir(exist_ok=True)
        speaker = file_lock(self._folder / machine / "redis-silence.lock")
        link = RedisLink(self._redis_url, speaker, try_again_after, tell)
        self._links.append(link)
        return link

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for link in self._links:
            link.close()

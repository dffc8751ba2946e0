"""A real redis-server on loopback, for one test: it can be killed, frozen and started again."""

import os
import signal
from pathlib import Path
from typing import Self

from redis import Redis
from redis.exceptions import RedisError

from tests.processes import Process, free_port, wait_until
from token_server.setting_types import unverified


class RedisServer:
    """Forgets everything when it stops. A context manager.

    Args:
        folder: For its socket file and its log.
        password: "" for none.
        certificate: With it, TLS is the only way over TCP; a PEM file that has the key too.
    """

    def __init__(
        self, folder: Path, *, password: str = "", certificate: Path | None = None
    ) -> None:
        self.port = free_port()
        self.folder = folder
        scheme = "rediss" if certificate else "redis"
        self.url = f"{scheme}://:{password}@127.0.0.1:{self.port}/0"
        self.socket = folder / f"{self.port}.sock"
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(folder),
            "save": "",
            "unixsocket": str(self.socket),
            "requirepass": password,
        }
        if certificate:
            options |= {"port": "0", "tls-port": str(self.port), "tls-auth-clients": "no"}
            options |= {"tls-cert-file": str(certificate), "tls-key-file": str(certificate)}
        self._command = ["redis-server", *_as_arguments(options)]
        self.client = Redis.from_url(unverified(self.url), decode_responses=True)
        self.start()

    def start(self) -> None:
        """Start it (again, on the same port), and wait until it answers."""
        log = self.folder / f"redis-{self.port}.log"
        self.process = Process(self._command, os.environ, log)
        wait_until(self._answers, within=10, what="redis-server answers")

    def kill(self) -> None:
        """End it the hard way."""
        self.process.kill()

    def freeze(self) -> None:
        """Let it take connections and answer nothing, as behind a broken network."""
        self.process.popen.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.popen.send_signal(signal.SIGCONT)

    def keys(self) -> list[str]:
        """Return the keys that there are, without the prefix that each LiveKit has."""
        return sorted(key.split(":", 2)[-1] for key in self.client.scan_iter())

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.process.kill()


def _as_arguments(options: dict[str, str]) -> list[str]:
    return [part for name, value in options.items() for part in (f"--{name}", value)]

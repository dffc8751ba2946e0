"""The process of a simulated LiveKit, and what may be done to it from here."""

import http.client
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.processes import AGENT_NAME, API_KEY, API_SECRET, Process, clean_environ, free_port

# A name that nobody resolves: whoever asks for it asks the proxy that they have been given.
_NAME = "livekit.simulated"
_PATIENCE = 600.0


class SimulatedLiveKit:
    """A simulated LiveKit on a port of its own. A context manager.

    Args:
        folder: For its log.
        webhook_url: Where its webhooks go; "" for nowhere.
    """

    def __init__(self, folder: Path, webhook_url: str = "") -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "bench.simulated", "--port", str(self.port)]
        command += ["--webhook-url", webhook_url] if webhook_url else []
        key = {"LIVEKIT_API_KEY": API_KEY, "LIVEKIT_API_SECRET": API_SECRET}
        environ = {**os.environ, **key, "LIVEKIT_AGENT_NAME": AGENT_NAME}
        self.process = Process(command, environ, folder / f"simulated-{self.port}.log")
        try:
            self.process.wait_for_output("a simulated LiveKit listens")
        except BaseException:
            self.process.stop()
            raise

    @property
    def url(self) -> str:
        """Where the product asks it."""
        return f"http://127.0.0.1:{self.port}"

    def environ(self, asker: str = "") -> Mapping[str, str]:
        """Return a clean environment that leads here; an asker with a name is told apart by it."""
        environ = clean_environ() | {
            "LIVEKIT_URL": self.url,
            "LIVEKIT_API_KEY": API_KEY,
            "LIVEKIT_API_SECRET": API_SECRET,
            "LIVEKIT_AGENT_NAME": AGENT_NAME,
            "TOKEN_AUTH": "none",
        }
        if asker:
            environ["LIVEKIT_URL"] = f"http://{_NAME}:{self.port}"
            environ["HTTP_PROXY"] = f"http://{asker}:x@127.0.0.1:{self.port}"
        return environ

    def do(self, name: str, **fields: object) -> dict[str, Any]:
        """Use a control (controls.py), and return what it says.

        Raises:
            RuntimeError: It fails; its log says how.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            connection.request("POST", f"/control/{name}", json.dumps(fields))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{name} failed:\n{self.process.output()[-4000:]}")
        found: dict[str, Any] = json.loads(body)
        return found

    def __enter__(self) -> Self:
        """Return it: it runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.process.stop()

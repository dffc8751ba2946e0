"""What the worker on this machine says of itself: LiveKit lists none (livekit-behaviour 30)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shared_settings.token_server_url import address
from token_server.cli.asking import ask


@dataclass(frozen=True, kw_only=True)
class WorkerReport:
    """A worker's own words.

    Attributes:
        port: Where its health server listens.
        agent_name: What it registers under; "" is a worker without a name.
        active_jobs: How many jobs it runs.
        load: From 0 to 1; LiveKit offers no job from 0.7 on.
        has_given_up: Whether it says that it cannot connect to LiveKit.
    """

    port: int
    agent_name: str
    active_jobs: int
    load: float
    has_given_up: bool

    @property
    def in_words(self) -> str:
        """All of it in a line."""
        name = f"name `{self.agent_name}`" if self.agent_name else "no name"
        return (
            f"the worker on this machine (port {self.port}): {name}, {self.active_jobs} active"
            f" jobs, load {self.load:.2f}"
        )


def ask_worker(host: str, port: int) -> WorkerReport | None:
    """Ask the worker on this machine; None if there is none on that address and port."""
    url = f"http://{address(host, port)}"
    answer = ask("GET", f"{url}/worker")
    said = answer.content
    if not answer.is_ok or "worker_type" not in said:
        return None
    health = ask("GET", f"{url}/")
    # Protobuf's JSON leaves out what is zero or empty.
    return WorkerReport(
        port=port,
        agent_name=str(said.get("agent_name", "")),
        active_jobs=int(said.get("active_jobs", 0)),
        load=float(said.get("worker_load", 0.0)),
        has_given_up=not (health.silence or health.is_ok),
    )


def ask_workers(host: str, ports: Sequence[int]) -> tuple[WorkerReport, ...]:
    """Ask on several ports at a time; the first port's worker is the first."""
    if len(ports) < 2:  # noqa: PLR2004 (nothing to be done side by side)
        return tuple(filter(None, (ask_worker(host, port) for port in ports)))
    with ThreadPoolExecutor(len(ports)) as threads:
        return tuple(filter(None, threads.map(lambda port: ask_worker(host, port), ports)))

"""The worker that all joins share, and when it has recovered from the last one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import LiveKitServer, Process, free_port, start_from_procfile, wait_until

_IDLE_PROCESSES = 4
_PATIENCE_SECONDS = 30.0


class RestedWorker:
    """A worker, known by what it logs."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def wait(self) -> None:
        """Wait until every job has ended and its warm process has been replaced."""
        wait_until(self._is_rested, within=_PATIENCE_SECONDS, what="the worker is at rest")

    def _is_rested(self) -> bool:
        output = self._process.output()
        jobs = output.count("JOB REQUEST RECEIVED")
        ended = output.count("process exiting")
        warmed_up = output.count("process initialized")
        return ended >= jobs and warmed_up >= jobs + _IDLE_PROCESSES


@contextmanager
def rested_worker(livekit: LiveKitServer, folder: Path) -> Iterator[RestedWorker]:
    """Run the Procfile's worker; it is registered and warm when the block begins."""
    environ = livekit.environ() | {
        "LIVEKIT_AGENT_PORT": str(free_port()),
        "LIVEKIT_AGENT_IDLE_PROCESSES": str(_IDLE_PROCESSES),
    }
    with start_from_procfile("worker", environ, folder / "worker.log") as process:
        process.wait_for_output("registered worker", within=_PATIENCE_SECONDS)
        worker = RestedWorker(process)
        worker.wait()
        yield worker

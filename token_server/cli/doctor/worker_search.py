"""The workers that can be seen, and which of them is meant to be the wanted agent's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from token_server.cli.doctor.patient import Patient
from token_server.cli.doctor.told_workers import ToldWorker, ask_told_workers
from token_server.cli.doctor.worker import WorkerReport, ask_workers
from token_server.cli.doctor.worker_names import misnamed

# Where the worker of a further agent listens: docs/agents.md starts it at the next port.
PORTS = 10


@dataclass(frozen=True, kw_only=True)
class SeenWorkers:
    """What was answered.

    Attributes:
        here: The workers on this machine.
        told: Those that have told the token server.
    """

    here: tuple[WorkerReport, ...]
    told: tuple[ToldWorker, ...]


class WorkerSearch:
    """Asks the workers on this machine, and the token server what workers have told.

    Args:
        patient: Who is examined.
    """

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        first = patient.worker_port
        self._ports = range(first, first + (PORTS if patient.is_other_agent else 1))
        self.known_names = patient.settings.known_agent_names
        self._jobs_before = {report.port: report.active_jobs for report in self.ask().here}

    def ask(self) -> SeenWorkers:
        """Ask all of them."""
        host = self._patient.worker_host
        told = ask_told_workers(self._patient.server, host, self._ports[0])
        # A frozen one takes the connection and answers nothing, for as long as we wait.
        is_silent = any(worker.is_silent for worker in told)
        return SeenWorkers(here=ask_workers(host, self._ports[is_silent:]), told=told)

    def jobs_before(self, worker: WorkerReport | None) -> int:
        """Return how many jobs it had at first."""
        return self._jobs_before.get(worker.port, 0) if worker else 0

    def port_for(self, worker: WorkerReport | None, here: Iterable[WorkerReport]) -> int:
        """Return where the wanted agent's worker is to be asked: where it is, or no other one."""
        taken = {self._ports[0], *(report.port for report in here)}
        free = (port for port in self._ports if port not in taken)
        return worker.port if worker else next(free, 0)


def worker_of(
    agent_name: str, here: Sequence[WorkerReport], known_names: Iterable[str]
) -> WorkerReport | None:
    """Return the worker on this machine that is the agent's, or is meant to be. Pure."""
    if exact := next((one for one in here if one.agent_name == agent_name), None):
        return exact
    name = misnamed(agent_name, (one.agent_name for one in here), known_names)
    return next((one for one in here if one.agent_name == name), None)

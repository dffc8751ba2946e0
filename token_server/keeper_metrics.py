"""What the keeper does, told to Prometheus."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from token_server.arrivals import Arrivals
from token_server.attendance import (
    Action,
    Attendance,
    CreateDispatch,
    DeleteDispatch,
    reason_of,
)
from token_server.metrics import Metrics
from token_server.observation import LookReport
from token_server.unattended import Unattended


class KeeperMetrics:
    """Counts looks, what they decide, and how long the humans of our tokens wait."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._arrivals = Arrivals()
        self._unattended = Unattended()

    def token_issued(self, sealed_ticket: str) -> None:
        """Count a token; its human is expected."""
        self._metrics.tokens_issued.inc()
        self._arrivals.expect(sealed_ticket)

    def webhook_arrived(self, age: float | None) -> None:
        """Count a webhook, so many seconds after its event."""
        self._metrics.webhooks_received.inc()
        if age is not None:
            self._metrics.webhook_age.observe(max(age, 0.0))

    def beat(self, rooms_followed: int, now: datetime) -> None:
        """Say how many rooms this process follows, and who waits at present (LiveKit's time)."""
        self._metrics.rooms_followed.set(rooms_followed)
        self._metrics.longest_unattended.set(self._unattended.longest(now))

    def look_failed(self) -> None:
        """Count a look that LiveKit did not answer, or that met a bug."""
        self._metrics.looks.labels("failed").inc()

    def looked(self, room_name: str, report: LookReport) -> None:
        """Count a look, its decisions and whom it has seen."""
        self._unattended.looked(room_name, report.missing)
        self._metrics.looks.labels("done" if report.again_in is None else "waiting").inc()
        self._count_decisions(report.decided)
        self._count_arrivals(report.waited)

    def _count_decisions(self, decided: Sequence[tuple[Action, Attendance]]) -> None:
        deleted = set()
        for action, seen in decided:
            self._metrics.decisions.labels(type(action).__name__, reason_of(action)).inc()
            agent_name = seen.order.agent_name
            match action:
                case DeleteDispatch():
                    deleted.add(agent_name)
                case CreateDispatch() if agent_name in deleted:
                    self._metrics.dispatches_repaired.inc()
                case _:
                    pass

    def _count_arrivals(self, waited: Mapping[str, float | None]) -> None:
        for sealed_ticket, seconds in waited.items():
            if self._arrivals.has_come(sealed_ticket):
                self._metrics.humans_joined.inc()
            if seconds is not None and self._arrivals.is_attended(sealed_ticket):
                self._metrics.join_to_attended.observe(seconds)

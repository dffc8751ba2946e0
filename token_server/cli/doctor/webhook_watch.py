"""Looks what the token server has counted, before the probe and after it."""

import threading
import time
from typing import Self

from token_server.cli.doctor.checks import Check
from token_server.cli.doctor.patient import Patient
from token_server.cli.doctor.server import Server
from token_server.cli.doctor.webhooks import (
    Counts,
    WebhookEvidence,
    can_reach,
    check_webhooks,
    count,
)
from token_server.state.machine_state import MachineState
from token_server.state.shared_folder import find_shared_folder

# Seconds after the probe in which a webhook may still come, and the last ones of several.
_DUE = 1.0
_LAST_DUE = 3.0
_LOOK_EVERY = 0.1


class WebhookWatch:
    """Begins when it is made."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        settings = patient.settings
        folder = find_shared_folder(settings.livekit_url, settings.livekit_api_key)
        self._machine = MachineState(folder.path)
        self._last_before = self._machine.webhook_last_arrived()
        self._before = count(patient.server)

    def first(self) -> "FirstWebhook":
        """Watch for the first webhook from now on."""
        return FirstWebhook(self._machine, self._patient.server)

    def check(self, *, had_visitor: bool) -> Check:
        """Say whether webhooks came since then.

        Args:
            had_visitor: Whether the probe's human has been in the room.
        """
        ended_at = time.monotonic()
        evidence = self._look(had_visitor=had_visitor)
        while _is_due(evidence, time.monotonic() - ended_at):
            time.sleep(_LOOK_EVERY)
            evidence = self._look(had_visitor=had_visitor)
        return check_webhooks(evidence, self._patient.server)

    def _look(self, *, had_visitor: bool) -> WebhookEvidence:
        settings, url = self._patient.settings, self._patient.server.url
        counted, before = count(self._patient.server), self._before
        if isinstance(counted, Counts):
            counted = counted.since(before) if isinstance(before, Counts) else before
        return WebhookEvidence(
            counted=counted,
            came_here=self._machine.webhook_last_arrived() > self._last_before,
            can_reach=can_reach(settings.livekit_url, url),
            has_machines=bool(settings.redis_url),
            received_before=before.received if isinstance(before, Counts) else 0.0,
            had_visitor=had_visitor,
        )


class FirstWebhook:
    """Sees when the first webhook comes while in the block; those of all rooms count.

    Attributes:
        came_at: When it came (monotonic seconds), late by at most `_LOOK_EVERY` where only the
            server's counter tells; None if none has, or nobody tells.
    """

    def __init__(self, machine: MachineState, server: Server) -> None:
        self._machine, self._server = machine, server
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self.came_at: float | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._began = time.time()
        self._counted = count(self._server)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking."""
        self._ending.set()
        self._thread.join()

    def _look_on(self) -> None:
        while self.came_at is None and not self._ending.wait(_LOOK_EVERY):
            came = self._machine.webhook_last_arrived()
            if came > self._began:
                self.came_at = time.monotonic() - (time.time() - came)
            elif self._has_counted():
                self.came_at = time.monotonic()

    def _has_counted(self) -> bool:
        if not isinstance(self._counted, Counts):
            return False
        now = count(self._server)
        return isinstance(now, Counts) and now.received > self._counted.received


def _is_due(evidence: WebhookEvidence, waited: float) -> bool:
    """Whether more may come that changes the verdict."""
    counted = evidence.counted
    if evidence.left_out:
        return waited < _LAST_DUE
    if evidence.came_here or isinstance(counted, str):
        return False
    return not counted.received + len(counted.refused) and waited < _DUE

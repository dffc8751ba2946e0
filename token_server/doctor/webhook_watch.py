"""Looks what the token server has counted, before the probe and after it."""

import time

from token_server.doctor.checks import Check
from token_server.doctor.patient import Patient
from token_server.doctor.webhooks import (
    Counts,
    WebhookEvidence,
    can_reach,
    check_webhooks,
    count,
)
from token_server.locks import MachineState, shared_folder

# Seconds after the probe in which a webhook may still come.
_DUE = 1.0
_LOOK_EVERY = 0.1


class WebhookWatch:
    """Begins when it is made."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        settings = patient.settings
        self._machine = MachineState(shared_folder(settings.livekit_url, settings.livekit_api_key))
        self._last_before = self._machine.webhook_last_arrived()
        self._before = count(patient.server)

    def check(self) -> Check:
        """Say whether webhooks came since then."""
        due = time.monotonic() + _DUE
        evidence = self._look()
        while not _is_decided(evidence) and time.monotonic() < due:
            time.sleep(_LOOK_EVERY)
            evidence = self._look()
        return check_webhooks(evidence, self._patient.server)

    def _look(self) -> WebhookEvidence:
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
        )


def _is_decided(evidence: WebhookEvidence) -> bool:
    counted = evidence.counted
    return (
        evidence.came_here
        or isinstance(counted, str)
        or bool(counted.received + len(counted.refused))
    )

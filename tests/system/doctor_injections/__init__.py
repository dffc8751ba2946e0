"""Every cause that the doctor names, each brought about for real."""

from collections.abc import Sequence

from tests.system.doctor_injections import agents, livekit, server, settings, webhooks
from tests.system.doctor_injections.stage import Injection

INJECTIONS: Sequence[Injection] = (
    *settings.INJECTIONS,
    *server.INJECTIONS,
    *webhooks.INJECTIONS,
    *agents.INJECTIONS,
    *livekit.INJECTIONS,
)

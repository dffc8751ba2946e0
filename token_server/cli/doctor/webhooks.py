"""Do LiveKit's webhooks reach the token server? Only the server knows, and it counts them.

GET /metrics says so to operators. On the server's own machine the time of the last one is in the
folder that its processes share, for when there is no OPERATOR_KEY.
"""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from token_server.cli.asking import HttpResult, bearer
from token_server.cli.doctor.checks import Check, Trouble, ok, skipped
from token_server.cli.doctor.server import Server

_RECEIVED = "token_server_webhooks_received_total"
_REFUSED = "token_server_webhooks_refused_total"
_NO_SUCH_PATH = {"404", "405"}
_CLOUD = ".livekit.cloud"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Counts:
    """What the server has counted since it started: genuine webhooks, refused ones by status."""

    received: float = 0.0
    refused: dict[str, float] = field(default_factory=dict)

    def since(self, before: "Counts") -> "Counts":
        """Return what came after `before`."""
        refused = {
            status: more
            for status, number in self.refused.items()
            if (more := number - before.refused.get(status, 0.0))
        }
        return Counts(self.received - before.received, refused)


def count(server: Server) -> Counts | str:
    """Ask the server what it has counted; a text says why it does not tell."""
    answer = server.ask("GET", "/metrics", bearer(server.operator_key))
    if answer.is_ok:
        return parse(answer)
    return answer.silence or f"GET /metrics answers HTTP {answer.status}"


def parse(answer: HttpResult) -> Counts | str:
    """Read the two counters out of Prometheus' text."""
    received, refused = 0.0, {}
    try:
        text = answer.unverified_body.decode(errors="replace")
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == _RECEIVED:
                    received += sample.value
                elif sample.name == _REFUSED:
                    refused[str(sample.labels.get("status"))] = float(sample.value)
    except ValueError:
        return "GET /metrics does not answer in Prometheus' format"
    return Counts(received, refused)


@dataclass(frozen=True, kw_only=True)
class WebhookEvidence:
    """What is known of the webhooks of the probe's time.

    Attributes:
        counted: What the server counted meanwhile; a text says why that is not known.
        came_here: Whether the folder of the server's machine, if it is ours, tells of one.
        can_reach: Whether this LiveKit could reach this server at all.
        has_machines: Whether another machine may have got them (REDIS_URL).
        received_before: How many had come before, since the server started.
    """

    counted: Counts | str
    came_here: bool
    can_reach: bool
    has_machines: bool
    received_before: float = 0.0


def can_reach(livekit_url: str, server_url: str) -> bool:
    """Whether LiveKit may reach the token server.

    Not if only that one is on loopback, nor LiveKit Cloud one in a private network.
    """
    livekit, server = (urlsplit(url).hostname or "" for url in (livekit_url, server_url))
    if server in _LOOPBACK:
        return livekit in _LOOPBACK
    return not (livekit.endswith(_CLOUD) and _is_private(server))


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host.endswith(".local")


def check_webhooks(evidence: WebhookEvidence, server: Server) -> Check:
    """Say whether webhooks reach the server."""
    counted = evidence.counted if isinstance(evidence.counted, Counts) else None
    if counted and counted.received:
        refused = sum(counted.refused.values())
        more = (f"{refused:.0f} were refused: another LiveKit sends here too",) if refused else ()
        return ok(
            "webhooks",
            "LiveKit's webhooks arrive.",
            f"{counted.received:.0f} during the probe",
            *more,
        )
    if counted is None and evidence.came_here:
        return ok("webhooks", "LiveKit's webhooks arrive.", "the server's machine remembers one")
    if counted and counted.refused:
        return _refused(counted, server)
    if not evidence.can_reach:
        return skipped(
            "webhooks",
            f"LiveKit is elsewhere and cannot reach {server.url}; agents come without.",
        )
    if counted is None or evidence.has_machines:
        return _unseen(evidence)
    return _stopped(evidence, server) if evidence.received_before else _none_came(server)


def _none_came(server: Server) -> Check:
    return Trouble(
        "no-webhooks",
        f"In LiveKit's settings (Cloud: project settings, webhooks; self-hosted: `webhook` in its"
        f" configuration) add {_webhook(server)} with LIVEKIT_API_KEY. If it is there, `curl -X"
        f" POST {_webhook(server)}` on LiveKit's machine must answer 401.",
    ).wrong(
        "webhooks",
        "No webhook of LiveKit's has come: none is configured for this server, or it cannot be"
        " reached from LiveKit. Agents come without, slower.",
        "the server counted none during the probe",
    )


def _stopped(evidence: WebhookEvidence, server: Server) -> Check:
    return Trouble(
        "webhooks-stopped",
        f"On LiveKit's machine, `curl -X POST {_webhook(server)}` must answer 401; if it does, see"
        " that LiveKit's settings still name this URL, and read LiveKit's log for `webhook`.",
    ).wrong(
        "webhooks",
        "LiveKit's webhooks have come before, and do not reach this server now. Agents come"
        " without, slower.",
        f"the server counted {evidence.received_before:.0f} since it started, and none during the"
        " probe",
    )


def _refused(counted: Counts, server: Server) -> Check:
    numbers = ", ".join(f"HTTP {s}: {number:.0f}" for s, number in sorted(counted.refused.items()))
    evidence = f"refused during the probe: {numbers}"
    if counted.refused.keys() & _NO_SUCH_PATH:
        return Trouble(
            "webhook-path",
            f"In LiveKit's settings, set the webhook's URL to {_webhook(server)}",
        ).wrong("webhooks", "LiveKit sends its webhooks to a path that is not /webhook.", evidence)
    return Trouble(
        "webhook-key",
        "In LiveKit's settings, choose LIVEKIT_API_KEY as the key that signs webhooks (self-hosted:"
        " `webhook.api_key`), or name that key in LIVEKIT_WEBHOOK_KEYS on the token server.",
    ).wrong("webhooks", "LiveKit signs its webhooks with a key that we do not know.", evidence)


def _unseen(evidence: WebhookEvidence) -> Check:
    if isinstance(evidence.counted, str):
        cure = "Set OPERATOR_KEY on the token server and here, and run this again."
        return Trouble("webhooks-unseen", cure).unknown(
            "webhooks", "The token server does not tell whether webhooks arrive.", evidence.counted
        )
    cure = "Run this again with --url and the address of each machine in turn."
    return Trouble("webhooks-unseen", cure).unknown(
        "webhooks", "This machine has counted no webhook; another one may have."
    )


def _webhook(server: Server) -> str:
    return f"{server.url}/webhook"

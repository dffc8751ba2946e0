"""Do LiveKit's webhooks reach the token server? Only the server knows, and it counts them.

GET /metrics says so to operators. On the server's own machine the time of the last one is in the
folder that its processes share, for when there is no OPERATOR_KEY.
"""

import ipaddress
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from token_server.cli.asking import HttpResult, bearer
from token_server.cli.doctor.checks import Check, Trouble, ok, skipped
from token_server.cli.doctor.server import Server
from token_server.cli.doctor.steps import (
    API_KEY,
    HOST,
    OPERATOR_KEY,
    WEBHOOK_KEY,
    Again,
    Setting,
    Start,
)
from token_server.proxies import LOOPBACK

_RECEIVED = "token_server_webhooks_received_total"
_REFUSED = "token_server_webhooks_refused_total"
_BY_EVENT = "token_server_webhook_events_total"
# Each visit of somebody brings these, and each makes the server look.
_NEEDED = ("participant_joined", "participant_left")
_NO_SUCH_PATH = {"404", "405"}
_CLOUD = ".livekit.cloud"


@dataclass(frozen=True)
class Counts:
    """What the server has counted since it started.

    Attributes:
        received: Genuine webhooks.
        refused: Others, by status.
        events: Of the genuine ones, those that make it look, by event; empty if it is of an older
            version, which does not tell.
    """

    received: float = 0.0
    refused: dict[str, float] = field(default_factory=dict)
    events: dict[str, float] = field(default_factory=dict)

    def since(self, before: "Counts") -> "Counts":
        """Return what came after `before`."""
        refused = {
            status: more
            for status, number in self.refused.items()
            if (more := number - before.refused.get(status, 0.0))
        }
        events = {event: n - before.events.get(event, 0.0) for event, n in self.events.items()}
        return Counts(self.received - before.received, refused, events)


def count(server: Server) -> Counts | str:
    """Ask the server what it has counted; a text says why it does not tell."""
    answer = server.ask("GET", "/metrics", bearer(server.operator_key))
    if answer.is_ok:
        return parse(answer)
    return answer.silence or f"GET /metrics answers HTTP {answer.status}"


def parse(answer: HttpResult) -> Counts | str:
    """Read the two counters out of Prometheus' text."""
    received, refused, events = 0.0, {}, {}
    try:
        text = answer.unverified_body.decode(errors="replace")
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == _RECEIVED:
                    received += sample.value
                elif sample.name == _REFUSED:
                    refused[str(sample.labels.get("status"))] = float(sample.value)
                elif sample.name == _BY_EVENT:
                    events[str(sample.labels.get("event"))] = float(sample.value)
    except ValueError:
        return "GET /metrics does not answer in Prometheus' format"
    return Counts(received, refused, events)


@dataclass(frozen=True, kw_only=True)
class WebhookEvidence:
    """What is known of the webhooks of the probe's time.

    Attributes:
        counted: What the server counted meanwhile; a text says why that is not known.
        came_here: Whether the folder of the server's machine, if it is ours, tells of one.
        can_reach: Whether this LiveKit could reach this server at all.
        has_machines: Whether another machine may have got them (REDIS_URL).
        received_before: How many had come before, since the server started.
        had_visitor: Whether somebody has been in a room meanwhile, and left it.
    """

    counted: Counts | str
    came_here: bool
    can_reach: bool
    has_machines: bool
    received_before: float = 0.0
    had_visitor: bool = False

    @property
    def left_out(self) -> tuple[str, ...]:
        """The events that are needed and did not come, though others did."""
        counted = self.counted
        if isinstance(counted, str) or not (counted.received and counted.events):
            return ()
        if not self.had_visitor or self.has_machines:
            return ()
        return tuple(event for event in _NEEDED if not counted.events.get(event))


def can_reach(livekit_url: str, server_url: str) -> bool:
    """Whether LiveKit may reach the token server.

    Not if only that one is on loopback, nor LiveKit Cloud one in a private network.
    """
    livekit, server = (urlsplit(url).hostname or "" for url in (livekit_url, server_url))
    if server in LOOPBACK:
        return livekit in LOOPBACK
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
        return _left_out(evidence.left_out) if evidence.left_out else _all_well(counted)
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


def _all_well(counted: Counts) -> Check:
    refused = sum(counted.refused.values())
    more = (f"{refused:.0f} were refused: another LiveKit sends here too",) if refused else ()
    came = f"{counted.received:.0f} during the probe"
    return ok("webhooks", "LiveKit's webhooks arrive.", came, *more)


def _left_out(events: Sequence[str]) -> Check:
    names = " and ".join(f"`{event}`" for event in events)
    return Trouble(
        "webhooks-left-out",
        "In LiveKit's configuration (livekit.yaml), let all events be sent:"
        " `webhook.filter_params.include_events: []` and"
        f" `webhook.filter_params.exclude_events: []`; or {names} among others. Start LiveKit"
        " again, and run this again.",
        (Again(),),
    ).wrong(
        "webhooks",
        f"LiveKit's webhooks arrive, but none of {names}: agents come without, slower.",
        "somebody has joined and left during the probe, and the server counted other events only",
    )


def _none_came(server: Server) -> Check:
    return Trouble(
        "no-webhooks",
        f"In LiveKit's settings (Cloud: project settings, webhooks) add {_webhook(server)};"
        f" self-hosted, in livekit.yaml: {_urls(server)} and `webhook.api_key: {API_KEY}`, which is"
        " LIVEKIT_API_KEY, and start LiveKit again. If it is there, type the first line on"
        " LiveKit's machine: it must show 401, since the token server refuses what is not signed.",
        (_knock(server), Again()),
    ).wrong(
        "webhooks",
        "No webhook of LiveKit's has come: none is configured for this server, or it cannot be"
        " reached from LiveKit. Agents come without, slower.",
        "the server counted none during the probe",
    )


def _stopped(evidence: WebhookEvidence, server: Server) -> Check:
    return Trouble(
        "webhooks-stopped",
        "Type the first line on LiveKit's machine: it must show 401, since the token server refuses"
        " what is not signed. If it does, see that LiveKit's settings still name"
        f" {_webhook(server)} (livekit.yaml: {_urls(server)}), and read LiveKit's log for"
        " `webhook`.",
        (_knock(server), Again()),
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
            f"In LiveKit's settings, set the webhook's URL to {_webhook(server)} (self-hosted, in"
            f" livekit.yaml: {_urls(server)}), start LiveKit again, and run this again.",
            (Again(),),
        ).wrong(
            "webhooks",
            "LiveKit sends its webhooks to a path that is not /webhook, where nobody takes them.",
            evidence,
        )
    return Trouble(
        "webhook-key",
        "Name the key that signs them, with its secret, in LIVEKIT_WEBHOOK_KEYS on the token"
        " server, and start it again. Or choose LIVEKIT_API_KEY as that key in LiveKit's settings"
        " (self-hosted: `webhook.api_key` in livekit.yaml).",
        (Setting("LIVEKIT_WEBHOOK_KEYS", WEBHOOK_KEY, is_added=True), Start.WEB),
    ).wrong("webhooks", "LiveKit signs its webhooks with a key that we do not know.", evidence)


def _unseen(evidence: WebhookEvidence) -> Check:
    if isinstance(evidence.counted, str):
        cure = "Set one OPERATOR_KEY for the token server and here: with it the server tells."
        todo = (Setting("OPERATOR_KEY", OPERATOR_KEY), Start.WEB)
        return Trouble("webhooks-unseen", cure, todo).unknown(
            "webhooks", "The token server does not tell whether webhooks arrive.", evidence.counted
        )
    cure = "Run this again with --url and the address of each machine in turn."
    return Trouble("webhooks-unseen", cure, (Again(url=f"https://{HOST}"),)).unknown(
        "webhooks", "This machine has counted no webhook; another one may have."
    )


def _knock(server: Server) -> str:
    return f"curl -i -X POST {shlex.quote(_webhook(server))}"


def _urls(server: Server) -> str:
    """Return LiveKit's own setting, as its configuration has it."""
    return f"`webhook.urls: [{_webhook(server)}]`"


def _webhook(server: Server) -> str:
    return f"{server.url}/webhook"

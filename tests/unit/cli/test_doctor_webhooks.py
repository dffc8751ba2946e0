"""The doctor's verdict on webhooks, from what the token server has counted."""

from typing import Any

import pytest

from token_server.cli.asking import HttpResult
from token_server.cli.doctor import webhooks
from token_server.cli.doctor.server import Server
from token_server.cli.doctor.webhooks import Counts, WebhookEvidence

SERVER = Server(url="https://tokens.example")
VISITED = {"had_visitor": True}
JOINED, LEFT = {"participant_joined": 2.0}, {"participant_left": 1.0}
NO_JOINS = Counts(3, events=LEFT | {"participant_joined": 0.0})


@pytest.mark.parametrize(
    ("counted", "rest", "finding", "cause"),
    [
        pytest.param(Counts(3), {}, "ok", None, id="came"),
        pytest.param(Counts(), {}, "wrong", "no-webhooks", id="none"),
        pytest.param(Counts(0, {"404": 2}), {}, "wrong", "webhook-path", id="path"),
        pytest.param(Counts(0, {"401": 2}), {}, "wrong", "webhook-key", id="key"),
        pytest.param(Counts(3, {"401": 2}), {}, "ok", None, id="another-livekit-too"),
        pytest.param(Counts(), {"can_reach": False}, "skipped", None, id="cloud-to-laptop"),
        pytest.param(Counts(), {"has_machines": True}, "unknown", "webhooks-unseen", id="machines"),
        pytest.param(Counts(), {"received_before": 7}, "wrong", "webhooks-stopped", id="stopped"),
        pytest.param("HTTP 403", {}, "unknown", "webhooks-unseen", id="no-key"),
        pytest.param("HTTP 403", {"came_here": True}, "ok", None, id="folder"),
        pytest.param(Counts(), {"came_here": True}, "wrong", "no-webhooks", id="to-another-server"),
        pytest.param(Counts(3, events=JOINED | LEFT), VISITED, "ok", None, id="all-needed"),
        pytest.param(Counts(3), VISITED, "ok", None, id="older-server"),
        pytest.param(NO_JOINS, VISITED, "wrong", "webhooks-left-out", id="no-joins"),
        pytest.param(
            Counts(3, events=JOINED), VISITED, "wrong", "webhooks-left-out", id="no-leaves"
        ),
        pytest.param(NO_JOINS, {}, "ok", None, id="nobody-joined"),
        pytest.param(NO_JOINS, VISITED | {"has_machines": True}, "ok", None, id="elsewhere"),
    ],
)
def test_webhooks_are_told_apart(
    counted: Counts | str, rest: dict[str, Any], finding: str, cause: str | None
) -> None:
    """LiveKit has no way to ask where it sends them."""
    known: dict[str, Any] = {"came_here": False, "can_reach": True, "has_machines": False} | rest

    check = webhooks.check_webhooks(WebhookEvidence(counted=counted, **known), SERVER)

    assert (finding, cause) == (check.finding, check.cause)


@pytest.mark.parametrize(
    ("livekit", "server", "can_reach"),
    [
        ("ws://127.0.0.1:7880", "http://localhost:8080", True),
        ("ws://livekit.example", "http://127.0.0.1:8080", False),
        ("wss://p.livekit.cloud", "http://192.168.1.20:8080", False),
        ("wss://p.livekit.cloud", "http://laptop.local:8080", False),
        ("ws://10.0.0.2:7880", "http://10.0.0.3:8080", True),
        ("wss://p.livekit.cloud", "https://tokens.example", True),
    ],
)
def test_an_address_that_livekit_cannot_reach_needs_no_webhook(
    livekit: str, server: str, *, can_reach: bool
) -> None:
    """Cloud and a laptop: nothing to be mended there."""
    assert can_reach is webhooks.can_reach(livekit, server)


def test_the_counters_are_read_out_of_prometheus_text() -> None:
    """/metrics has many more."""
    text = (
        "# TYPE token_server_webhooks_received counter\n"
        "token_server_webhooks_received_total 4.0\n"
        "# TYPE token_server_webhooks_refused counter\n"
        'token_server_webhooks_refused_total{status="401"} 2.0\n'
        'token_server_webhooks_refused_total{status="404"} 1.0\n'
    )

    counts = webhooks.parse(HttpResult(status=200, unverified_body=text.encode()))

    assert Counts(4, {"401": 2, "404": 1}) == counts
    assert Counts(1, {"401": 2}) == Counts(4, {"401": 2, "404": 1}).since(Counts(3, {"404": 1}))


def test_events_are_counted_apart() -> None:
    """LiveKit can be told to leave some out; 0 is not the same as not to be told."""
    name = "token_server_webhook_events"
    text = f"# TYPE {name} counter\n" + "".join(
        f'{name}_total{{event="{event}"}} {count}\n'
        for event, count in {"participant_joined": 2.0, "participant_left": 0.0}.items()
    )

    counts = webhooks.parse(HttpResult(status=200, unverified_body=text.encode()))

    assert Counts(events=JOINED | {"participant_left": 0.0}) == counts
    assert counts.since(Counts(events=JOINED)).events == dict.fromkeys(counts.events, 0.0)

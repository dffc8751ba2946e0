"""How traces are asked for, and how they leave the process."""

import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector import Collector
from tests.environ import environ
from tests.processes import ROOT, clean_environ, free_port, wait_until
from token_server import __version__
from token_server.environment import tracing_variables
from token_server.tracing.delivery import Delivery

URL = "http://127.0.0.1:4318"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
EXPORTER = "OTEL_TRACES_EXPORTER"
NOWHERE = "TOKEN_SERVER_ENV_FILE"


@pytest.mark.parametrize(
    "given",
    [
        {EXPORTER: "otlp"},
        {ENDPOINT: URL},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{URL}/v1/traces"},
        {EXPORTER: "console, otlp"},
        {EXPORTER: "otlp", "OTEL_SDK_DISABLED": "false"},
    ],
    ids=str,
)
def test_the_standard_variables_ask_for_traces(given: dict[str, str], tmp_path: Path) -> None:
    """What a platform sets for everything else is enough."""
    found = tracing_variables(given | {NOWHERE: str(tmp_path / "nothing.env")})

    assert given.items() < found.items()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {EXPORTER: "console"},
        {EXPORTER: "none", ENDPOINT: URL},
        {EXPORTER: "otlp", "OTEL_SDK_DISABLED": "True"},
        {EXPORTER: "", ENDPOINT: " "},
        {"OTEL_SERVICE_NAME": "x"},
    ],
    ids=str,
)
def test_nothing_else_asks_for_traces(given: dict[str, str], tmp_path: Path) -> None:
    """Off by default."""
    assert {} == tracing_variables(given | {NOWHERE: str(tmp_path / "nothing.env")})


def test_the_env_file_may_ask_for_traces(tmp_path: Path) -> None:
    """All of OpenTelemetry's variables are handed on, and nothing else of the file."""
    file = tmp_path / "some.env"
    file.write_text(f"{EXPORTER}=otlp\nOTEL_SERVICE_NAME=tokens\nPORT=1\n")

    found = tracing_variables({NOWHERE: str(file), "OTEL_SERVICE_NAME": "mine"})

    found.pop("OTEL_BSP_MAX_EXPORT_BATCH_SIZE")
    assert {EXPORTER: "otlp", "OTEL_SERVICE_NAME": "mine"} == found


def test_a_batch_is_small_unless_the_operator_says_otherwise(tmp_path: Path) -> None:
    """While one is encoded no request is answered."""
    name = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
    asked = {EXPORTER: "otlp", NOWHERE: str(tmp_path / "nothing.env")}

    assert ("64", "512") == (
        tracing_variables(asked)[name],
        tracing_variables(asked | {name: "512"})[name],
    )


def test_another_protocol_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A collector's gRPC port would refuse what we send."""
    given = {ENDPOINT: URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}

    assert tracing_variables(given | {NOWHERE: str(tmp_path / "nothing.env")})
    assert ["http/protobuf" in record.getMessage() for record in caplog.records] == [True]


WHAT_IS_LOADED = """
import sys, token_server.wsgi as wsgi
print(sum(name.startswith("opentelemetry") for name in sys.modules), wsgi.token_server.tracing)
"""


def loaded(folder: Path, **changes: str) -> str:
    """Say how much of OpenTelemetry a web process loads, and what it makes of it."""
    variables = clean_environ() | environ(TMPDIR=str(folder), **changes)
    command = [sys.executable, "-c", WHAT_IS_LOADED]
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_who_traces_nothing_loads_nothing(tmp_path: Path) -> None:
    """A fifth of a second at each start, and memory."""
    assert "0 None\n" == loaded(tmp_path)
    assert "None" not in loaded(tmp_path, **{EXPORTER: "otlp"})


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Somebody who takes traces."""
    with Collector() as running:
        yield running


def started(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> Delivery:
    """Start a delivery in this process with these variables: the SDK reads them by itself."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    delivery = Delivery()
    delivery.start()
    return delivery


def trace(delivery: Delivery, name: str = "token") -> None:
    """Make a span."""
    delivery.provider.get_tracer("tests").start_span(name).end()


def test_a_stop_delivers_what_there_is(
    monkeypatch: pytest.MonkeyPatch, collector: Collector
) -> None:
    """The last token before a deploy; with the headers that the collector wants."""
    variables = collector.environ | {
        "OTEL_BSP_SCHEDULE_DELAY": "60000",
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret",
    }
    delivery = started(monkeypatch, variables)
    trace(delivery)

    delivery.stop()

    assert (["token"], ["secret"]) == (
        [span.name for span in collector.spans],
        collector.keys,
    )


def test_the_process_says_who_it_is(monkeypatch: pytest.MonkeyPatch, collector: Collector) -> None:
    """Several processes and machines are in one trace."""
    delivery = started(monkeypatch, collector.environ)
    trace(delivery)
    delivery.stop()

    (span,) = collector.spans
    assert ("livekit-token-server", __version__, True, True) == (
        span.resource["service.name"],
        span.resource["service.version"],
        span.resource["process.pid"].isdigit(),
        bool(span.resource["host.name"]),
    )


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_SERVICE_NAME": "tokens", "OTEL_RESOURCE_ATTRIBUTES": "host.name=web-1"},
        {"OTEL_RESOURCE_ATTRIBUTES": "service.name=tokens,host.name=web-1"},
    ],
    ids=["name", "attributes"],
)
def test_the_operator_says_who_it_is(
    monkeypatch: pytest.MonkeyPatch, collector: Collector, variables: dict[str, str]
) -> None:
    """By the standard variables."""
    delivery = started(monkeypatch, collector.environ | variables)
    trace(delivery)
    delivery.stop()

    (span,) = collector.spans
    assert ("tokens", "web-1") == (span.resource["service.name"], span.resource["host.name"])


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log of a server would have."""
    return [record.getMessage() for record in caplog.records]


def test_a_collector_that_refuses_is_told_once_and_once_when_it_takes_again(
    monkeypatch: pytest.MonkeyPatch, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    """A line for each batch would bury everything else."""
    caplog.set_level(logging.INFO)
    delivery = started(monkeypatch, collector.environ | {"OTEL_BSP_SCHEDULE_DELAY": "20"})
    collector.status = 401
    for _ in range(3):
        collector.keys.clear()
        trace(delivery)
        wait_until(lambda: collector.keys, within=5, what="a try")
    collector.status = 200
    trace(delivery, "late")
    wait_until(lambda: collector.named("late"), within=5, what="the span")
    wait_until(lambda: "again" in str(said(caplog)), within=5, what="the line")
    delivery.stop()

    assert ["Traces cannot be delivered", "Traces are delivered again"] == said(caplog)
    assert "401" in vars(caplog.records[0])["reason"]


def test_a_collector_that_is_not_there_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With the reason, and without what stands behind the host in its URL."""
    variables = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{free_port()}/?key=MaRkEr",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
        "OTEL_BSP_SCHEDULE_DELAY": "20",
    }
    delivery = started(monkeypatch, variables)
    for _ in range(2):
        trace(delivery)
        wait_until(lambda: said(caplog), within=10, what="a line")
    delivery.stop()

    reason = vars(caplog.records[0])["reason"]
    assert ["Traces cannot be delivered"] == said(caplog)
    assert (True, False) == ("Connection refused" in reason, "MaRkEr" in reason)


def test_a_variable_that_is_wrong_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And the server goes on."""
    delivery = started(monkeypatch, {ENDPOINT: URL, "OTEL_BSP_MAX_QUEUE_SIZE": "-1"})
    trace(delivery)
    delivery.stop()

    assert ["Traces cannot be delivered"] == said(caplog)


def test_a_collector_that_is_silent_holds_up_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deploy waits two seconds for it, not thirty."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        delivery = started(monkeypatch, {ENDPOINT: url, "OTEL_EXPORTER_OTLP_TIMEOUT": "4"})
        trace(delivery)
        began = time.monotonic()

        delivery.stop()

        assert time.monotonic() - began < 3

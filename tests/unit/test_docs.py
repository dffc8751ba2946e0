"""What the operators' pages show and say, as far as nothing has to be started for it."""

import json
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values
from prometheus_client import CollectorRegistry

from agent.settings import AgentSettings
from bench.pages import pages_with_tables, with_tables
from bench.report import from_json
from tests.environ import environ
from tests.http.clients import client_for
from tests.processes import ROOT, procfile
from tests.recording_keeper import RecordingKeeper
from tests.snippets import Snippet, pages, snippet, snippets
from tests.stand_ins import calls_of
from tests.webhook_signing import joined, sign
from token_server.cli.__main__ import main
from token_server.cli.doctor.causes import CAUSES
from token_server.settings import Settings
from token_server.state.timeline import Event
from token_server.telemetry.metrics import Metrics

HEROKU = snippet("docs/operating.md", "heroku create")
SYSTEMCTL = [block for block in snippets("docs/operating.md", "sh") if "systemctl" in block.text]
MACHINES = snippet("docs/several-machines.md", "REDIS_URL=")
SCRAPING = snippet("docs/metrics.md", "scrape_configs")
QUERIES = snippet("docs/metrics.md", "histogram_quantile")
KEY_EXCHANGE = snippet("docs/webhooks.md", "LIVEKIT_WEBHOOK_KEYS")
FRONT_DOOR = [
    block for page in pages() for block in snippets(page, "sh") if block.text.startswith("make ")
]
FRONT_DOOR = [block for block in FRONT_DOOR if "\n" not in block.text]

ROOM = snippet("docs/timeline.md", "room ready  ")

RUNS = [ROOM, HEROKU, *SYSTEMCTL, MACHINES, SCRAPING, QUERIES, KEY_EXCHANGE, *FRONT_DOOR]

EVENTS = {event.replace("_", " ") for event in Event}
KNOWN_WORDS = {
    "token-server doctor": {cause.name for cause in CAUSES},
    "token-server room NAME": EVENTS,
}
SOURCES = [ROOT / "token_server", ROOT / "agent"]
# Not imported: that takes a second.
LIBRARY_WORKER = Path(sysconfig.get_path("purelib")) / "livekit/agents/worker.py"


def settings_of(block: Snippet, tmp_path: Path) -> dict[str, str]:
    """Read a block of variables as a `.env` file."""
    file = tmp_path / "env"
    file.write_text(block.text)
    return {name: value or "" for name, value in dotenv_values(file).items()}


@pytest.fixture
def heroku(tmp_path: Path) -> list[list[str]]:
    """How the page calls `heroku`."""
    return [call[1:] for call in calls_of(HEROKU.text, ["heroku", "git"], tmp_path)]


def test_what_heroku_is_given_starts_both_processes(heroku: list[list[str]]) -> None:
    """A variable that nobody reads, or a value that is refused, costs a deploy."""
    given = dict(
        pair.split("=", 1)
        for command, *pairs in heroku
        if command == "config:set"
        for pair in pairs
    )
    known = {
        field.alias for model in (Settings, AgentSettings) for field in model.model_fields.values()
    }

    settings, worker = Settings.from_environ(given), AgentSettings.from_environ(given)

    assert set() == given.keys() - known
    assert (("30/minute",), ("600/minute",), 1, 20) == (
        settings.rate_limit,
        settings.rate_limit_key,
        settings.trusted_proxies,
        worker.drain_seconds,
    )
    assert {64} == {len(given[name]) for name in ("TOKEN_KEYS", "OPERATOR_KEY")}


def test_heroku_starts_what_the_procfile_has(heroku: list[list[str]]) -> None:
    """Names that both must agree in, and the buildpack of app.json."""
    (scaled,) = [words for command, *words in heroku if command == "ps:scale"]
    app = json.loads((ROOT / "app.json").read_text())

    assert sorted(procfile()) == sorted(name.partition("=")[0] for name in scaled)
    assert sorted(procfile()) == sorted(app["formation"])
    assert [[app["buildpacks"][0]["url"]]] == [words[2:] for words in heroku if "create" in words]


def test_the_button_of_heroku_gives_settings_that_start() -> None:
    """app.json's own values, with what it asks the person for or makes up."""
    asked = environ(LIVEKIT_API_SECRET="x" * 32)
    fields = json.loads((ROOT / "app.json").read_text())["env"]
    given = {
        name: field.get("value") or ("f" * 64 if "generator" in field else asked.get(name, ""))
        for name, field in fields.items()
    }

    settings = Settings.from_environ(given)

    assert (1, 20, {"f" * 64}) == (
        settings.trusted_proxies,
        AgentSettings.from_environ(given).drain_seconds,
        {given[name] for name in ("TOKEN_KEYS", "OPERATOR_KEY")},
    )


@pytest.mark.parametrize("block", SYSTEMCTL, ids=str)
def test_systemctl_is_told_of_units_that_the_page_has(block: Snippet, tmp_path: Path) -> None:
    """Any number may stand behind the @."""
    files = {
        line.removeprefix("# /etc/systemd/system/")
        for unit in snippets("docs/operating.md", "ini")
        for line in unit.text.splitlines()[:1]
    }

    calls = calls_of(block.text, ["systemctl"], tmp_path)

    named = {word for call in calls for word in call if word.startswith("token-server")}
    assert set() == {re.sub(r"@\d", "@", name) for name in named} - files
    assert named or block != SYSTEMCTL[0]


@pytest.mark.parametrize("block", FRONT_DOOR, ids=str)
def test_the_front_door_is_there(block: Snippet) -> None:
    """`make test` runs this test; the others have tests of their own."""
    (target,) = re.findall(r"^make (\w+)$", block.text)

    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_settings_of_several_machines_are_good(tmp_path: Path) -> None:
    """The password has to be replaced, and nothing else."""
    settings = Settings.from_environ(environ(**settings_of(MACHINES, tmp_path)))

    assert settings.redis_url.startswith("rediss://")


def test_webhooks_of_both_keys_are_good_while_they_are_exchanged(tmp_path: Path) -> None:
    """LiveKit signs with the old one until it is told otherwise."""
    given = settings_of(KEY_EXCHANGE, tmp_path)
    settings, keeper = Settings.from_environ(environ(**given)), RecordingKeeper()
    client = client_for(None, keeper, **given)

    answers = [
        client.post(
            "/webhook",
            data=joined(),
            headers={"Authorization": sign(joined(), key=key, secret=secret)},
            content_type="application/webhook+json",
        ).status_code
        for key, secret in [*settings.webhook_secrets.items(), ("key", "x" * 32)]
    ]

    assert [200, 200, 401] == answers


def test_prometheus_is_told_to_scrape_as_metrics_wants_it() -> None:
    """Over TLS, with the operators' key out of a file."""
    lines = {line.split(" #")[0].strip() for line in SCRAPING.text.splitlines()}

    assert {"scheme: https", "authorization:"} <= lines
    assert not any(line.startswith("metrics_path") for line in lines)  # /metrics is the default


def test_queries_ask_for_what_is_counted() -> None:
    """A name that is not there yields nothing, and no error."""
    shown = Metrics(CollectorRegistry()).exposition().decode()
    asked = set(re.findall(r"\btoken_server_\w+", QUERIES.text))

    assert set() == {name for name in asked if name not in shown}


def test_the_measured_table_is_the_recorded_one() -> None:
    """Figures in a page go stale unless something compares them."""
    sections = json.loads((ROOT / "docs/benchmarks.json").read_text())["sections"]
    (section,) = [section for section in sections if section["key"] == "reliability"]
    recorded = {
        row["what"].partition(" (")[0]: [share(cell) for cell in row["cells"]]
        for row in section["rows"]
    }

    page = (ROOT / "docs/how-dispatch-works.md").read_text()
    head, _, *rows = page.partition("## Measured")[2].partition("## ")[0].strip().split("\n")[-14:]

    assert section["columns"] == cells(head)[1:]
    assert recorded == {what: shown for what, *shown in map(cells, rows)}


@pytest.mark.parametrize("page", pages_with_tables(ROOT / "docs"), ids=lambda page: page.name)
def test_tables_of_other_pages_are_the_recorded_ones(page: Path) -> None:
    """`make bench` writes them; a hand that changes one is seen here."""
    recorded = from_json((ROOT / "docs/benchmarks.json").read_text())

    assert with_tables(page.read_text(), recorded.sections) == page.read_text()


def share(cell: dict[str, dict[str, float] | None]) -> str:
    """Return a recorded cell's share as the page has it."""
    figures = cell["figures"]
    return f"{figures['share']:.0%}" if figures else "n/a"


def cells(row: str) -> list[str]:
    """Split a table's row."""
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_room_is_shown_as_it_is_printed() -> None:
    """Its lines, by what a room prints; docs/metrics.md has what each event means."""
    head, _, timeline = ROOM.text.partition("\n\n")
    line = re.compile(r"  [\d:]{8}\.\d{3} {4}\+\d\.\d{3}  (.{16})  \S.*")

    events = [found[1].strip() for found in map(line.fullmatch, timeline.splitlines()) if found]

    assert head.startswith("kitchen  RM_")
    assert len(timeline.splitlines()) == len(events)
    assert set() == set(events) - EVENTS


@pytest.mark.parametrize(("command", "known"), KNOWN_WORDS.items())
def test_what_to_look_for_is_what_is_said(command: str, known: set[str]) -> None:
    """Causes of the doctor, events of a room; a row without a command goes on with the last."""
    page = (ROOT / "docs/doctor.md").read_text().partition("## What you see")[2].lstrip()
    rows = [cells(row) for row in page.partition("\n\n")[0].splitlines()][2:]
    told: set[str] = set()
    typed = ""
    for what, command_typed, says, _ in rows:
        typed = command_typed if what or command_typed else typed
        if typed.startswith(f"`{command}"):
            told |= set(re.findall(r"`([a-z -]+)`", says))

    assert told
    assert set() == told - known


def log_lines() -> list[str]:
    """Return the lines that the pages tell people to look for."""
    page = (ROOT / "docs/metrics.md").read_text()
    table = page.partition("\n## Log lines\n")[2].partition("\n##")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


@pytest.mark.parametrize("line", log_lines())
def test_a_line_that_people_look_for_is_logged(line: str) -> None:
    """By us, or by livekit-agents, whose worker it is."""
    files = [path for source in SOURCES for path in source.rglob("*.py")] + [LIBRARY_WORKER]

    assert any(re.search(rf"\b{line}", path.read_text()) for path in files)


def commands() -> Iterator[str]:
    """Return the commands of ours that the pages name in a sentence or a table."""
    for page in pages():
        yield from re.findall(r"`(token-server [a-z][^`]*)`", (ROOT / page).read_text())


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_a_command_in_a_sentence_is_one_of_ours(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the options that it has."""
    _, name, *words = command.split()

    with pytest.raises(SystemExit) as end:
        main([name, "--help"])

    options = {word for word in words if word.startswith("--")}
    shown = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
    assert (0, set()) == (end.value.code, options - shown)

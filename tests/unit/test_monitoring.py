"""The dashboard and the alert rules in docs/monitoring; that they work, a system test shows."""

import itertools
import re
import subprocess
from collections.abc import Iterable
from typing import Any

import pytest

from tests.dashboard import DASHBOARD, PANELS, VARIABLES, all_queries, queries
from tests.exposition import all_metrics
from tests.processes import ROOT
from tests.snippets import snippet
from token_server.cli.__main__ import main

ALERTS = ROOT / "docs/monitoring/alerts.yml"
CASES = ROOT / "tests/unit/alerts.yml"
PAGE = (ROOT / "docs/monitoring.md").read_text()
REFERENCE = (ROOT / "docs/metrics.md").read_text()
CHECK = snippet("docs/monitoring.md", "promtool check rules")
RUNS = [CHECK]
ALERT = re.compile(r"^ +- alert: (\w+)$", re.MULTILINE)


def promtool(*arguments: object) -> str:
    """Run Prometheus' own tool; return what it says, which has to be that all is well."""
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def names(texts: Iterable[str]) -> set[str]:
    """Return the metrics that queries ask for."""
    found = re.findall(r"token_server_\w+", "\n".join(texts))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in found}


def test_prometheus_loads_the_rules() -> None:
    """It refuses to start with a rule that it cannot read."""
    program, *arguments = CHECK.text.split()

    assert ("promtool", True) == (program, "8 rules found" in promtool(*arguments))


def test_each_alert_fires_and_does_not() -> None:
    """The cases are in alerts.yml beside this file."""
    promtool("test", "rules", CASES)

    cases = CASES.read_text()
    fires = set(re.findall(r"alertname: (\w+)(?:,[^\n]*|\n[^\n]*\n *)exp_alerts", cases))
    is_silent = set(re.findall(r"\{alertname: (\w+), eval_time: \w+\}", cases))
    alerts = set(ALERT.findall(ALERTS.read_text()))
    assert (alerts, alerts) == (fires, is_silent)


def test_each_alert_says_what_to_type_next() -> None:
    """Whoever reads it was asleep a minute ago."""
    rules = ALERT.split(ALERTS.read_text())[1:]

    for name, rule in zip(rules[::2], rules[1::2], strict=True):
        said = re.sub(r"\s+", " ", rule)
        assert re.search(r"summary: .+ description: .*`token-server (doctor|rooms|room)", said), (
            name
        )
        assert re.search(r"severity: (critical|warning)", said), name


def test_what_it_says_to_type_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that has another name by now is worse than none."""
    with pytest.raises(SystemExit):
        main(["--help"])
    (known,) = re.findall(r"\{(.+?)\}", capsys.readouterr().out.partition("\n\n")[0])

    said = set(re.findall(r"`token-server\s+(\w+)", ALERTS.read_text()))

    assert {"doctor", "room", "rooms"} == said & set(known.split(",")) == said


def test_the_reference_lists_the_alerts_with_their_severity() -> None:
    """And the commands of the page work, typed as they stand there."""
    defined = re.findall(
        r"alert: (\w+)$.*?severity: (\w+)$", ALERTS.read_text(), re.DOTALL | re.MULTILINE
    )

    assert sorted(defined) == sorted(
        re.findall(r"^\| `(\w+)` \| (critical|warning) ", REFERENCE, re.MULTILINE)
    )
    for command in re.findall(r"^```sh\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE):
        subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, check=True, capture_output=True)


def test_every_name_in_an_alert_is_counted() -> None:
    """A rule on a name that does not exist never fires."""
    assert set() == names([ALERTS.read_text()]) - all_metrics().keys()


def test_the_dashboard_shows_everything_that_is_counted_and_nothing_else() -> None:
    """What is counted and not shown is found by nobody."""
    assert all_metrics().keys() == names(query for _, query in all_queries())


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    """With unit and description, from the chosen data source, for the chosen job and machines."""
    sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]

    assert {"prometheus ${datasource}"} == {f"{s['type']} {s['uid']}" for s in sources}
    assert all((panel["description"], panel["fieldConfig"]["defaults"]["unit"], queries(panel)))
    for query in queries(panel):
        asked = len(re.findall(r"token_server_\w+\{", query))
        assert 0 < asked == query.count('job=~"$job", instance=~"$instance"}'), query


def test_every_variable_of_a_query_exists() -> None:
    """Grafana would send it as it stands there, and Prometheus would find nothing."""
    own = {"__range", "__rate_interval"}

    used = {name for _, query in all_queries() for name in re.findall(r"\$(\w+)", query)}

    assert (used - own, {"datasource"}) == (
        {v["name"] for v in VARIABLES if v["type"] == "query"},
        {v["name"] for v in VARIABLES if v["type"] == "datasource"},
    )


def test_panels_have_their_own_place_and_number() -> None:
    """Grafana moves what overlaps, and drops what has another's number."""
    panels = DASHBOARD["panels"]
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x, y in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        )
    ]

    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)

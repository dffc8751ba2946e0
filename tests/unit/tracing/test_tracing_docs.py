"""docs/tracing.md and docs/metrics.md against what spans say."""

import re
from pathlib import Path

from tests.processes import ROOT
from tests.snippets import snippets
from token_server.environment import tracing_variables
from token_server.tracing import names

DOCS = (ROOT / "docs/metrics.md").read_text()
RUNS = snippets("docs/tracing.md")
PREFIXES = r"(?:http|url|error|rpc|livekit|token_server)"


def test_every_attribute_is_listed() -> None:
    """Whoever searches traces has to know by what."""
    said = {value for name, value in vars(names).items() if name.isupper()}

    table = DOCS.partition("## What spans say")[2].partition("\n## ")[0]
    assert said == set(re.findall(rf"`({PREFIXES}\.[a-z_.]+)`", table))


def test_the_line_for_a_env_file_asks_for_traces(tmp_path: Path) -> None:
    """It is all that most people need."""
    (line,) = RUNS
    file = tmp_path / ".env"
    file.write_text(line.text)

    found = tracing_variables({"TOKEN_SERVER_ENV_FILE": str(file)})

    assert "http://collector.example:4318" == found["OTEL_EXPORTER_OTLP_ENDPOINT"]

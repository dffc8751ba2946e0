"""The commands of the pages for whoever looks for a fault, against `make dev`."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import plain_http
from tests.processes import Process, clean_environ, printed_in_shell
from tests.snippets import Snippet, snippet, snippets

pytestmark = pytest.mark.live

DOCTOR = [
    block
    for page in ("doctor", "upgrading", "webhooks")
    for block in snippets(f"docs/{page}.md", "sh")
    if block.text == "token-server doctor"
]
DOCTOR_JSON = snippet("docs/doctor.md", '"checks": [')
FOLLOW = snippet("docs/doctor.md", "--follow")
ROOMS = [
    block
    for page in ("doctor", "timeline")
    for block in snippets(f"docs/{page}.md", "sh")
    if block.text.startswith("token-server room") and block != FOLLOW
]
RUNS = [*DOCTOR, DOCTOR_JSON, *ROOMS, FOLLOW]


@pytest.fixture(scope="module")
def environ(dev_port: int) -> dict[str, str]:
    """What is set where `make dev` runs: nothing, but for the port."""
    plain_http.good(plain_http.get(f"http://127.0.0.1:{dev_port}/token?room_name=kitchen"))
    return clean_environ() | {"PORT": str(dev_port)}


def test_the_doctor_finds_all_well(environ: Mapping[str, str]) -> None:
    """Without any setting; and its JSON is made as its page shows it."""
    (command,) = {block.text for block in DOCTOR}
    page = json.loads(DOCTOR_JSON.text)

    said = json.loads(printed_in_shell(f"{command} --json", environ))

    assert (3, "ok", 0) == (len(DOCTOR), said["finding"], said["exit_code"])
    assert set(page) == set(said)
    assert {frozenset(page["checks"][0])} == {frozenset(check) for check in said["checks"]}
    assert {frozenset(page["timeline"][0])} == {frozenset(step) for step in said["timeline"]}


@pytest.mark.parametrize("block", ROOMS, ids=str)
def test_a_room_tells_what_happened_in_it(block: Snippet, environ: Mapping[str, str]) -> None:
    """All rooms, one room for people, one room for machines."""
    said = printed_in_shell(block.text, environ)

    assert "kitchen" in said
    if "--json" in block.text:
        assert "kitchen" == json.loads(said[said.index("\n{") :])["room_name"]


def test_a_room_is_followed_until_somebody_stops_it(
    environ: Mapping[str, str], dev_port: int, tmp_path: Path
) -> None:
    """What happens from now on is told when it happens."""
    with Process(FOLLOW.text.split(), environ, tmp_path / "follow.log") as following:
        following.wait_for_output("token issued", within=20)
        seen = len(following.output())
        plain_http.good(plain_http.get(f"http://127.0.0.1:{dev_port}/token?room_name=kitchen"))

        following.wait_for_output(rf"(?s).{{{seen}}}.*token.issued", within=20)

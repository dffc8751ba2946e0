"""The image and the compose file name what there is; `python -m bench.image` tries the image."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.settings import AgentSettings
from bench.image.dockerfile import instructions
from setup.livekit_server import VERSION
from tests.processes import ROOT, clean_environ, livekit_server_binary, procfile
from tests.snippets import settings_in, snippet, snippets
from tests.stand_ins import calls_of
from token_server.settings import Settings

PAGE = "docs/light.md"
DOCKER = [block for block in snippets(PAGE, "sh") if block.text.startswith("docker ")]
ENV = snippet(PAGE, "# .env")
RUNS = [*DOCKER, ENV]
STEPS = instructions((ROOT / "deploy/Dockerfile").read_text())
IGNORED = (ROOT / "deploy/Dockerfile.dockerignore").read_text()
SCRIPT = ROOT / "deploy/image"
COMPOSE_TEXT = (ROOT / "deploy/compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
KNOWN = {
    field.alias for model in (Settings, AgentSettings) for field in model.model_fields.values()
}


def rests(name: str) -> list[str]:
    """Return what stands behind each instruction of a name."""
    return [step.rest for step in STEPS if step.name == name]


def last_command(name: str) -> list[str]:
    """Return the words of the last CMD, ENTRYPOINT or HEALTHCHECK."""
    return [step for step in STEPS if step.name == name][-1].command()


def interpolated(text: str, settings: dict[str, str]) -> str:
    """Replace variables as compose does."""

    def value(found: re.Match[str]) -> str:
        name, otherwise = found[1], found[2] or ""
        return settings.get(name, otherwise.removeprefix(":-"))

    return re.sub(r"\$\{(\w+)(:[-?][^}]*)?\}", value, text)


def test_the_image_starts_what_the_procfile_has() -> None:
    """By its own command `web`, and `worker` as the page and the compose file say."""
    worker = procfile()["worker"].split()
    (started,) = [block for block in DOCKER if "docker run" in block.text]

    assert procfile()["web"].split() == last_command("CMD")
    assert worker == COMPOSE["services"]["worker"]["command"]
    assert started.text.endswith(f" livekit-token-server {procfile()['worker']}")
    assert "command" not in COMPOSE["services"]["web"]


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ("", "127.0.0.1:8080"),
        ("HOST=0.0.0.0 PORT=9000", "127.0.0.1:9000"),
        ("HOST=:: PORT=9000", "[::1]:9000"),
        ("HOST=[::]", "[::1]:8080"),
        ("HOST=::1", "[::1]:8080"),
        ("HOST=[::1]", "[::1]:8080"),
        ("HOST=10.1.2.3", "10.1.2.3:8080"),
    ],
)
def test_the_health_of_web_is_asked_where_it_listens(
    settings: str, address: str, tmp_path: Path
) -> None:
    """A container whose HOST is ::1 was never well; nor one in which http_proxy is set."""
    (call,) = calls_of(f"{settings} {SCRIPT} health", ["curl"], tmp_path)

    assert f"http://{address}/healthz" == call[-1]
    assert "*" == call[call.index("--noproxy") + 1]


def test_the_steps_are_those_of_the_script() -> None:
    """One script for the image and for whoever has no container engine."""
    known = set(re.findall(r"^(\w+)\)$", SCRIPT.read_text(), re.MULTILINE))
    commands = [*rests("RUN"), " ".join(last_command("HEALTHCHECK"))]

    assert {"deploy/image"} == {command.split()[0] for command in commands}
    assert known == {command.split()[1] for command in commands}


def test_what_is_copied_is_there_and_is_not_ignored() -> None:
    """A file that is not sent to the engine is not found by it."""
    default = dict(pair.split("=") for pair in rests("ARG"))
    copied = {interpolated(rest, default).split()[0] for rest in rests("COPY")}
    copied |= set(re.findall(r"REQUIREMENTS=(\S+)", "".join(block.text for block in DOCKER)))
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]

    assert [] == [name for name in copied if not (ROOT / name).exists()]
    assert [] == [name for name in copied if f"\n!{name}\n" not in IGNORED]
    assert set(packages["targets"]["wheel"]["packages"]) <= copied


def test_nothing_runs_as_root() -> None:
    """And what is started last is the child of a process that reaps."""
    assert ["10001"] == rests("USER")
    assert re.search(r"useradd .*--uid 10001 ", SCRIPT.read_text())
    assert ["tini", "--"] == last_command("ENTRYPOINT")


def test_the_base_is_named_without_a_host() -> None:
    """Where images come from is the engine's setting."""
    images = [*rests("FROM"), *(each.get("image", "") for each in COMPOSE["services"].values())]

    assert [] == [image for image in images if "." in image.partition("/")[0].partition(":")[0]]


@pytest.mark.parametrize("arguments", [[], ["sytem"]], ids=["none", "misspelt"])
def test_a_step_that_is_none_is_refused(arguments: list[str]) -> None:
    """An image without its packages would be built otherwise."""
    done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)

    assert (2, "usage:") == (done.returncode, done.stderr.split(" ")[0])


@pytest.mark.parametrize("block", DOCKER, ids=str)
def test_docker_is_told_of_files_that_are_there(block: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """Docker itself is not asked."""
    calls = calls_of(block.text, ["docker"], tmp_path)

    named = re.findall(r"(?:deploy/[\w.-]+|requirements[\w.-]*)", block.text)
    assert len(calls) == len(block.text.splitlines())
    assert [] == [name for name in named if not (ROOT / name).exists()]


def test_the_settings_of_the_page_are_good() -> None:
    """Both processes start with them, and what the compose file adds."""
    given = settings_in(ENV)
    added = {
        name: interpolated(value, given)
        for name, value in COMPOSE["services"]["web"]["environment"].items()
    }

    settings = Settings.from_environ(given | added)

    assert set() == (given | added).keys() - KNOWN
    assert AgentSettings.from_environ(given | added).livekit_url == settings.livekit_url
    assert settings.host == "127.0.0.1"


def test_a_worker_has_the_time_that_its_calls_may_take() -> None:
    """Docker kills after ten seconds."""
    seconds = COMPOSE["services"]["worker"]["stop_grace_period"].removesuffix("s")
    drain = AgentSettings.model_fields["drain_seconds"].default

    assert int(seconds) > drain
    assert f"--stop-timeout {seconds} " in "".join(block.text for block in DOCKER)


def test_livekit_takes_the_configuration_of_the_compose_file(tmp_path: Path) -> None:
    """A field that it does not know keeps it from starting; its version is the one of the tests."""
    livekit = COMPOSE["services"]["livekit"]
    config = interpolated(livekit["environment"]["LIVEKIT_CONFIG"], settings_in(ENV))
    environ = clean_environ() | {"LIVEKIT_CONFIG": config}

    ports = subprocess.run(
        [livekit_server_binary(), "ports"],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert all(port in ports for port in ("7880 - HTTP", "7881 - ICE/TCP", "7882"))
    assert f"livekit/livekit-server:v{VERSION}" == livekit["image"]
    assert ["http://127.0.0.1:8080/webhook"] == yaml.safe_load(config)["webhook"]["urls"]

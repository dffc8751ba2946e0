"""docs/light.md: which packages what needs, and the web process with no more than it needs."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PathDistribution, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import plain_http
from tests.processes import Process, free_port
from tests.snippets import settings_in, snippet
from tests.system.deployment import Deployment
from tests.system.installation import (
    ENV_FILE,
    LIGHT,
    WEB,
    Installation,
    exec_start,
    install_light,
    run_in_checkout,
    with_uv,
)
from token_server import __version__

pytestmark = pytest.mark.live

ADD_REDIS = snippet("docs/light.md", "whl)[redis]")
NO_REDIS = snippet("docs/light.md", "The token server cannot start")
RUNS = [LIGHT, ADD_REDIS, NO_REDIS]
OURS = {"token_server", "agent", "shared_settings"}
# Modules below these folders may import what an extra brings; all others run without any.
EXTRAS = {
    "agent/": "worker",
    "token_server/cli/doctor/": "doctor",
    "token_server/state/": "redis",
    "token_server/tracing/": "tracing",
}
MOST_MEGABYTES = 120


def test_the_wheel_names_all_that_it_imports(installation: Installation) -> None:
    """What only the checkout's environment happens to have is missing elsewhere."""
    (packages,) = installation.prefix.glob("lib/python3.*/site-packages")
    (metadata,) = packages.glob("livekit_token_server-*.dist-info")
    wheel = PathDistribution(metadata)
    owners = packages_distributions()
    unnamed = [
        f"{source.relative_to(packages)} imports {name}"
        for package in OURS
        for source in (packages / package).rglob("*.py")
        for name in set(imports(source)) - sys.stdlib_module_names - OURS
        if not required(wheel, extra_of(source.relative_to(packages))) & normal(owners[name])
    ]

    assert __version__ == wheel.version
    assert [] == unnamed


def extra_of(source: Path) -> str:
    """Return the extra that a module may need; "" for the web process alone."""
    return next((EXTRAS[part] for part in EXTRAS if source.as_posix().startswith(part)), "")


def imports(source: Path) -> Iterator[str]:
    """Return the top-level names that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@cache
def required(wheel: Distribution, extra: str) -> set[str]:
    """Return the names of the distributions that come with it and with one of its extras."""
    found: set[str] = set()
    left = [(wheel, extra)]
    while left:
        needing, wanted = left.pop()
        for line in needing.requires or ():
            requirement = Requirement(line)
            name = next(iter(normal([requirement.name])))
            is_wanted = not requirement.marker or requirement.marker.evaluate({"extra": wanted})
            if name not in found and is_wanted:
                found.add(name)
                left.append((distribution(name), ""))
    return found


def normal(names: list[str]) -> set[str]:
    """Return names as they are compared."""
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


@pytest.fixture(scope="module")
def light(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The web process alone, in an environment of its own."""
    return install_light(tmp_path_factory.mktemp("light"), installation.dist)


def test_the_web_process_alone_is_small(light: Installation) -> None:
    """A few machines that give tokens need no models of speech."""
    packages = light.prefix / "lib"
    measured = subprocess.run(
        ["du", "-sm", "--exclude=__pycache__", packages],  # noqa: S607 (the one on PATH)
        capture_output=True,
        text=True,
        check=True,
    )

    assert int(measured.stdout.split()[0]) <= MOST_MEGABYTES


def test_the_web_process_alone_gives_tokens(
    light: Installation, shared_deployment: Deployment, tmp_path: Path
) -> None:
    """With a real LiveKit."""
    livekit, port = shared_deployment.livekit, free_port()
    own = {"PATH": light.path, "PORT": str(port), "WEB_CONCURRENCY": "1"}
    command, environ = exec_start(WEB, light).split(), livekit.environ() | own

    with Process(command, environ, tmp_path / "light.log", folder=light.empty_folder) as web:
        web.wait_for_output("Listening at", within=30)
        answer = plain_http.get(f"http://127.0.0.1:{port}/token", timeout=30)
        code = web.stop()

    assert (200, livekit.url, 0) == (
        answer.status,
        answer.json()["server_url"],
        code,
    )


def test_a_setting_is_refused_until_its_extra_is_installed(
    light: Installation, installation: Installation
) -> None:
    """The sentence of the page; what it says to install is enough."""
    command = exec_start(WEB, light).replace("--config", "--check-config --config")
    environ = settings_in(ENV_FILE) | {"REDIS_URL": "redis://127.0.0.1:1"}

    refused = light.run(command, environ)
    run_in_checkout(with_uv(ADD_REDIS.text, light, installation.dist))
    accepted = light.run(command, environ)

    assert (1, NO_REDIS.text) == (refused.returncode, refused.stderr.strip())
    assert 0 == accepted.returncode, accepted.stderr


@pytest.mark.parametrize(
    ("command", "extra"),
    [("python -m agent start", "worker"), ("token-server doctor", "doctor")],
    ids=["worker", "doctor"],
)
def test_a_command_that_needs_more_says_what_to_install(
    light: Installation, command: str, extra: str
) -> None:
    """One sentence and no traceback."""
    done = light.run(command, {})

    assert (1, True) == (done.returncode, f"install livekit-token-server[{extra}]" in done.stderr)
    assert "Traceback" not in done.stderr

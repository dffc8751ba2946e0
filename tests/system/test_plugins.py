"""A plugin beside the hashed requirements, as docs/agents.md adds it."""

import re
import shutil
from pathlib import Path

import pytest

from setup.locks import LOCKS
from tests.processes import ROOT, clean_environ, run_in_shell
from tests.snippets import snippets

PAGE = "docs/agents.md"
_, _, COMPILE = snippets(PAGE, "sh")
(PLUGIN,) = snippets(PAGE, "toml")
RUNS = [PLUGIN, COMPILE]
FILES = ("pyproject.toml", "Makefile", *LOCKS)
REPLACED = re.compile(r'^ *"livekit-agents>=.*$', re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the page's commands read and write, and the checkout's own uv."""
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    (tmp_path / "deploy").mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def pins(file: Path) -> dict[str, str]:
    """Return the version of each package that has a hash."""
    return dict(re.findall(r"^([\w-]+)==(\S+).* \\\n +--hash=", file.read_text(), re.MULTILINE))


def test_a_plugin_joins_the_list_that_heroku_installs(checkout: Path) -> None:
    """A package without a hash is refused beside those that have one."""
    project = checkout / "pyproject.toml"
    changed, count = REPLACED.subn(PLUGIN.text, project.read_text())
    project.write_text(changed)

    done = run_in_shell(COMPILE.text, clean_environ(), checkout)

    assert (1, 0) == (count, done.returncode), done.stderr
    for name in LOCKS:
        before, after = pins(ROOT / name), pins(checkout / name)
        assert after.get("livekit-agents") == after.get("livekit-plugins-openai")
        assert before == {package: after[package] for package in before}
    assert "livekit-plugins-openai" in done.stderr

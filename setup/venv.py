""".venv: the locked packages by hash, and this project itself, editable."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from setup import SetupError
from setup.progress import run
from setup.stamps import digest, forget, is_done, remember, was_completed

_VENV = Path(".venv")
_PYTHON = _VENV / "bin/python"
_LOCK = Path("requirements-dev.txt")
_UV_VENV = Path(".tools/uv")
_STEP = "venv"


def make_venv() -> None:
    """Create .venv, or bring it up to date with the lock file."""
    # The path, because scripts carry it: a checkout that was moved is set up anew.
    key = digest([_LOCK, Path("pyproject.toml")], sys.version, str(Path.cwd()))
    if is_done(_STEP, key) and os.access(_PYTHON, os.X_OK):
        return
    uv = _find_uv()
    # What an interrupted installer leaves looks complete to the next one.
    is_usable = was_completed(_STEP) and _is_sound()
    forget(_STEP)
    if not is_usable:
        shutil.rmtree(_VENV, ignore_errors=True)
        run("creating .venv", [uv, "venv", "--python", str(_base_python()), str(_VENV)])
    pip = [uv, "pip"]
    into = ["--python", str(_PYTHON)]
    count = _LOCK.read_text().count("==")
    # Compiled once, here: where PYTHONDONTWRITEBYTECODE is set, each start would do it again.
    sync = [*pip, "sync", *into, "--require-hashes", "--compile-bytecode", str(_LOCK)]
    run(f"installing the locked packages into .venv (up to {count})", sync)
    editable = ["--no-build-isolation", "--no-deps", "--editable", "."]
    run("installing this project into .venv", [*pip, "install", *into, *editable])
    remember(_STEP, key)


def pinned(name: str, requirements: str) -> str:
    """Return one package's lines of a lock file: version and hashes."""
    lines = requirements.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = start + 1
    while end < len(lines) and lines[end].startswith("    --hash="):
        end += 1
    return "\n".join(lines[start:end]).rstrip(" \\") + "\n"


def _find_uv() -> str:
    """Return the uv on PATH, or one in a private venv, which pip fills by the lock's hashes."""
    if on_path := shutil.which("uv"):
        return on_path
    uv = _UV_VENV / "bin/uv"
    wanted = pinned("uv", _LOCK.read_text())
    key = digest([], wanted, sys.version, str(Path.cwd()))
    if not is_done("uv", key) or not os.access(uv, os.X_OK):
        forget("uv")
        _install_uv(wanted)
        remember("uv", key)
    return str(uv)


def _install_uv(wanted: str) -> None:
    if find_spec("ensurepip") is None or find_spec("venv") is None:
        raise SetupError(
            f"{sys.executable} cannot create virtual environments. Install its venv module (Debian,"
            " Ubuntu: apt-get install python3-venv), or uv (https://docs.astral.sh/uv)."
        )
    shutil.rmtree(_UV_VENV, ignore_errors=True)
    run("creating a place for uv", [str(_base_python()), "-m", "venv", str(_UV_VENV)])
    requirement = _UV_VENV / "uv.txt"
    requirement.write_text(wanted)
    install = ["-m", "pip", "install", "--require-hashes", "-r", str(requirement)]
    run("installing uv, which installs the rest", [str(_UV_VENV / "bin/python"), *install])


def _is_sound() -> bool:
    """Tell whether .venv has a working Python of this version."""
    ask = "import sys; print(*sys.version_info[:2])"
    if not os.access(_PYTHON, os.X_OK):
        return False
    answer = subprocess.run([_PYTHON, "-c", ask], capture_output=True, text=True, check=False)
    return answer.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _base_python() -> Path:
    """Return this Python, and not the one in an activated .venv, which may be about to go."""
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return base if base.exists() else Path(sys.executable)

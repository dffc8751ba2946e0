"""`token-server dev`: checks, starts, watches and ends the local stack."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from token_server.cli.dev import DevError, words
from token_server.cli.dev.binary import WAYS_OUT, find_livekit_server
from token_server.cli.dev.plan import (
    LIVEKIT,
    Child,
    children_environ,
    livekit_child,
    livekit_host,
    procfile_commands,
    shell_line,
    wants_local_livekit,
    web_url,
)
from token_server.cli.dev.ports import choose_ports
from token_server.cli.dev.readiness import Question, Registered, answers_ok, watch
from token_server.cli.dev.stack_file import left_behind
from token_server.cli.dev.supervisor import Supervisor

_PAGE = Path("token_server/http_api/page/index.html")
_WAYS_TO_START = (
    "run this in the folder of the project. Where the package is installed, two processes are the"
    " server:\n"
    "  gunicorn --config python:token_server.gunicorn_conf token_server.wsgi:app\n"
    "  python -m agent start"
)


def run(folder: Path, procfile: Path, environ: Mapping[str, str]) -> int:
    """Run livekit-server (unless LIVEKIT_URL is set) and the Procfile until told to stop.

    Returns:
        The exit code: 0 if somebody stopped it (Ctrl-C, SIGTERM, SIGHUP), 1 if a child died.

    Raises:
        DevError: Something is missing or taken; nothing has been started.
    """
    commands = _read_procfile(procfile)
    ports = choose_ports(environ)
    shared = children_environ(environ, ports, Path(sys.executable).parent)
    children = [Child(name=n, command=shell_line(c), environ=shared) for n, c in commands]
    livekit = f"yours: {livekit_host(shared)}"
    if wants_local_livekit(environ):
        binary = _binary(folder, environ)
        livekit = f"{shared['LIVEKIT_URL']} ({binary.name}, this machine only)"
        children.insert(0, livekit_child(binary, shared, ports))
    if len({child.name for child in children}) < len(children):
        raise DevError(f"two processes have the same name: change one in {procfile}.")
    banner = words.banner(shared, livekit, has_page=(folder / _PAGE).exists())
    with left_behind(folder, shared) as stack_file:
        return _supervise(children, banner, stack_file)


def export_lines(stack: Mapping[str, str]) -> list[str]:
    """Return what a shell is told, so that a worker of one's own joins the stack that runs.

    Raises:
        DevError: None runs here.
    """
    if not stack:
        raise DevError("no `make dev` runs in this folder: start it in another terminal first.")
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    return [f"export {name}={shlex.quote(stack[name])}" for name in names]


def _supervise(children: list[Child], banner: str, stack_file: Path | None) -> int:
    registered = Registered()
    supervisor = Supervisor(children, registered.read, stack_file)
    watch(_questions(children, registered), supervisor.say, banner)
    death = supervisor.run()
    if death:
        sys.stdout.write(f"{words.obituary(death)}\n")
    return 1 if death else 0


def _questions(children: list[Child], registered: Registered) -> dict[str, Question]:
    """Return how to find out, for each child that we know, whether it is ready."""
    environ = {child.name: child.environ for child in children}
    questions: dict[str, Question] = {}
    if LIVEKIT in environ:
        livekit_url = environ["web"]["LIVEKIT_URL"].replace("ws://", "http://")
        questions[LIVEKIT] = answers_ok(livekit_url)
    questions["web"] = answers_ok(f"{web_url(environ['web'])}/readyz")
    if "worker" in environ:
        questions["worker"] = registered.ask
    return questions


def _binary(folder: Path, environ: Mapping[str, str]) -> Path:
    binary = find_livekit_server(environ, folder)
    if binary is None:
        raise DevError(f"there is no livekit-server here; `make setup` gets one. {WAYS_OUT}")
    return binary


def _read_procfile(procfile: Path) -> list[tuple[str, str]]:
    if not procfile.is_file():
        raise DevError(f"there is no {procfile}: {_WAYS_TO_START}")
    commands = procfile_commands(procfile.read_text())
    if "web" not in dict(commands):
        raise DevError(f"{procfile} has no line that starts with `web:`.")
    return commands

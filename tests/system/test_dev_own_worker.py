"""A worker of one's own beside `token-server dev`, as docs/agents.md starts it."""

import sys
from pathlib import Path

from tests.processes import ROOT, Process, clean_environ, free_port, run_in_shell, wait_until
from tests.snippets import snippets
from token_server.cli.dev.stack_file import NAME

_, BESIDE, _ = snippets("docs/agents.md", "sh")
RUNS = [BESIDE]
_STACK = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "a secret with 'quotes'",
}
_SHOWS = """
import os
for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_AGENT_PORT"):
    print(f"{name}={os.environ[name]}")
"""


def test_a_worker_beside_it_gets_the_settings_of_the_stack_that_runs(tmp_path: Path) -> None:
    """The page's lines, with stand-ins for the processes; none is found of a killed one."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "concierge.py").write_text(_SHOWS)
    # A variable in front of the command ended the whole stack.
    (tmp_path / "Other").write_text("web: sleep 1000\nworker: NAME='a b' sleep 1000\n")
    environ = clean_environ() | {"PYTHONPATH": str(ROOT)}
    del environ["TOKEN_SERVER_ENV_FILE"]
    command = [str(Path(sys.executable).parent / "token-server"), "dev", "--procfile", "Other"]
    ports = {"PORT": str(free_port()), "LIVEKIT_AGENT_PORT": str(free_port())}

    log = tmp_path / "dev.log"
    with Process(command, environ | _STACK | ports, log, folder=tmp_path) as dev:
        dev.wait_for_output("worker started")
        said = run_in_shell(BESIDE.text, environ, tmp_path)
        dev.popen.kill()
        dev.popen.wait()
        file = tmp_path / NAME
        wait_until(lambda: not file.exists(), within=20, what="no secret is left behind")
        after = run_in_shell("token-server dev --export", environ, tmp_path)

    shown = dict(line.split("=", maxsplit=1) for line in said.stdout.splitlines())
    assert (_STACK | {"LIVEKIT_AGENT_PORT": "8082"}, 0) == (shown, said.returncode), said.stderr
    assert (1, "") == (after.returncode, after.stdout)
    assert "no `make dev` runs in this folder" in after.stderr

"""`token-server dev` as a person meets it: Ctrl-C, and children that die.

That it gets ready and leaves nothing is seen by test_first_evening.py, on a whole stack.
"""

import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.processes import LiveKitServer, Process, clean_environ, free_port, wait_until

# It gives its children 7 s to end, then some to be killed; a loaded machine needs longer for each.
LONGEST_STOP = 30.0  # seconds
COMMAND = [str(Path(sys.executable).parent / "token-server"), "dev"]
# With another LiveKit than a local one, stand-ins start at once.
ELSEWHERE = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "secret",
}


def start(folder: Path, environ: dict[str, str], **commands: str) -> Process:
    """Start the command, on the Procfile or on stand-ins for it."""
    arguments: list[str] = []
    if commands:
        procfile = folder / "Procfile"
        procfile.write_text("".join(f"{name}: {line}\n" for name, line in commands.items()))
        arguments = ["--procfile", str(procfile)]
    # The worker's usual port is that of the `make dev` of other tests.
    ports = {"PORT": str(free_port()), "LIVEKIT_AGENT_PORT": str(free_port())}
    settings = clean_environ() | ports | environ
    return Process([*COMMAND, *arguments], settings, folder / "dev.log")


def groups(dev: Process, count: int) -> list[int]:
    """Wait until so many children run; return their process groups."""

    def started() -> list[int]:
        return [int(pid) for pid in re.findall(r"started \(pid=(\d+)\)", dev.output())]

    wait_until(lambda: len(started()) >= count, within=30, what=f"{count} children started")
    return started()


def is_running(group: int) -> bool:
    """Tell whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def listens(port: int) -> bool:
    """Tell whether something answers on loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.live
def test_another_livekit_is_used_as_it_is(tmp_path: Path) -> None:
    """With LIVEKIT_URL set nothing is started here that could be mistaken for that server."""
    with LiveKitServer(tmp_path) as livekit, start(tmp_path, livekit.environ()) as dev:
        said = dev.wait_for_output(r"LiveKit yours: (\S+)", within=90)[1]

        assert (livekit.url.removeprefix("ws://"), 2) == (said, len(groups(dev, 2)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_it_ends_all_of_it(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, a process manager, a closed terminal: no port stays taken by a forgotten child."""
    stubborn = f"{sys.executable} -c 'import signal; signal.signal(15, 1); signal.pause()'"
    with start(tmp_path, ELSEWHERE, web="sleep 1000", worker=stubborn) as dev:
        children = groups(dev, 2)

        code = dev.stop(number, within=LONGEST_STOP)

    assert (0, [False, False]) == (code, [is_running(group) for group in children])


def test_a_signal_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    """Somebody who sees the wrong port presses Ctrl-C at once."""
    with start(tmp_path, ELSEWHERE, web="sleep 1000", worker="sleep 1000") as dev:
        dev.wait_for_output(r"started \(pid=")

        code = dev.stop(signal.SIGINT, within=LONGEST_STOP)

    assert (0, [False, False]) == (code, [is_running(group) for group in groups(dev, 2)])


def test_killed_it_still_leaves_nothing(tmp_path: Path) -> None:
    """An editor that kills its terminal's processes asks nobody."""
    with start(tmp_path, ELSEWHERE, web="sleep 1000", worker="sleep 1000") as dev:
        children = groups(dev, 2)

        dev.popen.kill()

        wait_until(lambda: not any(map(is_running, children)), within=10, what="all have ended")


def test_a_child_that_dies_is_named_with_its_last_words(tmp_path: Path) -> None:
    """The reason must not be three screens up; the others must not go on half alive."""
    # Its own child holds the output open, as a worker's job process does.
    dying = "sh -c 'sleep 1000 & echo no such model; exit 3'"
    with start(tmp_path, ELSEWHERE, web="sleep 1000", worker=dying) as dev:
        children = groups(dev, 2)
        code = dev.popen.wait(20)

    said = dev.output()
    assert (1, True, True, [False, False]) == (
        code,
        "worker ended (exit code 3)" in said,
        said.rstrip().endswith("    no such model\n" + said.splitlines()[-1]),
        [is_running(group) for group in children],
    )


def test_a_death_is_noticed_though_a_daemon_of_the_child_lives_on(tmp_path: Path) -> None:
    """It holds the output open, and it is out of reach: it has left the child's group."""
    daemon = 'import subprocess as s; s.Popen(["sleep", "30"], start_new_session=True)'
    dying = f"{sys.executable} -c '{daemon}; raise SystemExit(3)'"
    with start(tmp_path, ELSEWHERE, web="sleep 1000", worker=dying) as dev:
        code = dev.popen.wait(20)

    assert (1, True) == (code, "worker ended (exit code 3)" in dev.output())

"""Real processes for tests: livekit-server and what the Procfile starts.

Whoever starts one stops it: every class here is a context manager, and a process goes with its
whole group, so that no worker's job process outlives a test.
"""

import contextlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self, TypeVar

from token_server.cli.dev.binary import find_livekit_server

T = TypeVar("T")
# What a shell has its `&`, and nohup, ignore.
_IGNORED_IN_THE_BACKGROUND = (signal.SIGINT, signal.SIGHUP)
ROOT = Path(__file__).parent.parent
API_KEY = "devkey"
API_SECRET = "a-made-up-secret-of-more-than-thirty-two-bytes"
AGENT_NAME = "voice-agent"
_STOP_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.03, 0.2
# A test must not see the settings of the person who runs it.
_OURS = (
    "LIVEKIT_",
    "LOG_",
    "AGENT_",
    "AGENTLESS_",
    "TOKEN_",
    "ATTEND_",
    "REDIS_",
    "CORS_",
    "RATE_",
    "SESSIONS_",
    "END_USER_",
    "ROOM_",
    "VOICE_",
    "OPERATOR_",
    "PARTICIPANT_",
)


# Each of xdist's processes has every eighth port, and gives none twice in a row: of two who find
# the same one free, in the seconds until it is used, one would fail.
_SHARES = 8
_SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
_given = deque[int](maxlen=500)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing uses at the moment, neither over TCP nor UDP.

    Below those that Linux gives to outgoing connections: one of these may be in use a second later.
    """
    while True:
        port = 10_000 + _SHARES * secrets.randbelow(20_000 // _SHARES) + _SHARE
        if port in _given:
            continue
        _given.append(port)
        with (
            socket.socket() as tcp,
            socket.socket(type=socket.SOCK_DGRAM) as udp,
            contextlib.suppress(OSError),
        ):
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            return port


def wait_until(ask: Callable[[], T], *, within: float, what: str) -> T:
    """Ask until the answer is truthy and return it; fail with `what` after `within` seconds.

    The longer it takes, the less often: who asks LiveKit keeps two processes busy.
    """
    deadline, pause = time.monotonic() + within, _FIRST_PAUSE
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(pause)
        pause = min(1.2 * pause, _LONGEST_PAUSE)
    return answer


def let_children_heed_signals(
    numbers: Sequence[signal.Signals] = _IGNORED_IN_THE_BACKGROUND,
) -> None:
    """Keep ignoring the signals that this process was started to ignore, but not its children.

    A process inherits from `command &` in a script that it ignores SIGINT, from nohup SIGHUP.
    """
    for number in numbers:
        if signal.getsignal(number) is signal.SIG_IGN:
            # Another program, started from here, inherits SIG_IGN and no handler.
            signal.signal(number, lambda *_: None)


def clean_environ() -> dict[str, str]:
    """Return the environment without any setting of the project, and with its tools on PATH."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(_OURS) and k != "DEMO"}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ["PYTHONUNBUFFERED"] = "1"
    # livekit-agents' watch over its event loops wakes each idle process a hundred times a second.
    environ["LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS"] = "0"
    # What `make test` was told (ARGS) is not meant for another `make`.
    for name in ("ARGS", "MAKEFLAGS", "MAKEOVERRIDES"):
        environ.pop(name, None)
    # An empty file instead of the developer's own .env.
    environ["TOKEN_SERVER_ENV_FILE"] = os.devnull
    return environ


def livekit_server_binary() -> str:
    """Return the livekit-server that `make setup` chose."""
    binary = find_livekit_server(os.environ, ROOT)
    assert binary, "there is no livekit-server: `make setup` gets one"
    return str(binary)


@contextlib.contextmanager
def busy_machine(loops: int) -> Iterator[None]:
    """Keep so many cores busy."""
    with contextlib.ExitStack() as ends:
        for _ in range(loops):
            burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            ends.callback(burner.wait)
            ends.callback(burner.kill)
        yield


class Process:
    """One running command, its output in a file, stopped with its whole process group."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        log: Path,
        *,
        folder: Path = ROOT,
        inherited: Sequence[int] = (),
    ) -> None:
        """Start it in a folder, with these open files besides the usual three."""
        self.log = log
        self._file: IO[bytes] = log.open("ab")
        self._start = log.stat().st_size
        self.popen = subprocess.Popen(
            command,
            env=dict(environ),
            cwd=folder,
            pass_fds=inherited,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def output(self) -> str:
        """Return what this process (not its predecessor in the same file) has printed so far."""
        return self.log.read_bytes()[self._start :].decode(errors="replace")

    def wait_for_output(self, pattern: str, *, within: float = 30) -> re.Match[str]:
        """Wait until the output matches; fail with the last lines of it."""

        def ask() -> re.Match[str] | None:
            if match := re.search(pattern, self.output()):
                return match
            if self.popen.poll() is not None:
                raise AssertionError(f"exited with {self.popen.returncode}:\n{self.output()}")
            return None

        try:
            match = wait_until(ask, within=within, what=f"output {pattern!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output()[-4000:]}") from None
        assert match is not None
        return match

    def stop(self, signal_number: int = signal.SIGTERM, *, within: float = _STOP_SECONDS) -> int:
        """Signal the group, kill what is left of it after a while, return the exit code."""
        if self._file.closed:
            return self.popen.wait()  # stopped before; its number may be another process's by now
        self._signal(signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(within)
        self._signal(signal.SIGKILL)
        code = self.popen.wait()
        self._file.close()
        return code

    def kill(self) -> None:
        """End the whole group with SIGKILL."""
        self.stop(signal.SIGKILL)

    def _signal(self, signal_number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal_number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class LiveKitServer:
    """A real livekit-server on loopback, on ports of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        webhook_urls: Sequence[str] = (),
        webhook_events: Sequence[str] = (),
        redis_address: str = "",
    ) -> None:
        """Start it.

        Args:
            folder: For its configuration and log.
            webhook_urls: Where its webhooks go.
            webhook_events: What they may tell of; all, if none is named.
            redis_address: HOST:PORT; all servers on it are nodes of one LiveKit.
        """
        self.port, rtc_tcp_port, rtc_udp_port = free_port(), free_port(), free_port()
        settings = {
            "port": self.port,
            "bind_addresses": ["127.0.0.1"],
            "rtc": {
                "tcp_port": rtc_tcp_port,
                "udp_port": rtc_udp_port,
                "node_ip": "127.0.0.1",
                "use_external_ip": False,
                "enable_loopback_candidate": True,
            },
            "keys": {API_KEY: API_SECRET},
        }
        if webhook_urls:
            settings["webhook"] = {
                "api_key": API_KEY,
                "urls": list(webhook_urls),
                "filter_params": {"include_events": list(webhook_events)},
            }
        if redis_address:
            settings["redis"] = {"address": redis_address}
        self._config = folder / f"livekit-{self.port}.json"
        self._config.write_text(json.dumps(settings))
        self._log = folder / f"livekit-{self.port}.log"
        self.start()

    @property
    def url(self) -> str:
        """Where clients, workers and the token server connect (`ws://`)."""
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it (again, on the same ports) and wait until it listens."""
        self.process = Process(
            [livekit_server_binary(), "--config", str(self._config)], os.environ, self._log
        )
        try:
            self.process.wait_for_output("starting LiveKit server")
            wait_until(self._listens, within=10, what="livekit-server listens")
        except BaseException:
            self.process.stop()
            raise

    @property
    def configuration(self) -> dict[str, Any]:
        """What its file says."""
        read: dict[str, Any] = json.loads(self._config.read_text())
        return read

    def restart(self, configuration: Mapping[str, Any]) -> None:
        """Start it again with another file, as who administers it would."""
        self.process.stop()
        self._config.write_text(json.dumps(configuration))
        self.start()

    def environ(self) -> dict[str, str]:
        """Return a clean environment with the settings that lead to this server."""
        return clean_environ() | {
            "LIVEKIT_URL": self.url,
            "LIVEKIT_API_KEY": API_KEY,
            "LIVEKIT_API_SECRET": API_SECRET,
            "LIVEKIT_AGENT_NAME": AGENT_NAME,
            "TOKEN_AUTH": "none",
        }

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()


def procfile() -> dict[str, str]:
    """Return the Procfile's commands by process name."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}


# What the shell is told. On a full disk every write to a file fails, in whatever folder; what is
# printed goes through a pipe.
PLAINLY = "exec {}"
ON_A_FULL_DISK = "(ulimit -f 0; exec {}) 2>&1 | cat"


def start_from_procfile(
    name: str, environ: Mapping[str, str], log: Path, how: str = PLAINLY
) -> Process:
    """Start one of the Procfile's processes the way Heroku does: through a shell."""
    return Process(["/bin/sh", "-c", how.format(procfile()[name])], environ, log)


def run_in_shell(
    command: str, environ: Mapping[str, str], folder: Path = ROOT, seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run what stands on a page as its reader does; the first line that fails ends it."""
    return subprocess.run(
        ["/bin/sh", "-e", "-c", command],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def printed_in_shell(command: str, environ: Mapping[str, str]) -> str:
    """Run a command that has to succeed; return what it prints."""
    done = run_in_shell(command, environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

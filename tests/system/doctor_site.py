"""A stack as its operator has it: a folder with `.env`, a shell there, and what is typed in it.

It knows how to type, and no cure: what is typed is what the doctor has printed.
"""

import itertools
import re
import shlex
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from dotenv.main import DotEnv

from tests import plain_http
from tests.processes import (
    API_KEY,
    API_SECRET,
    ROOT,
    Process,
    clean_environ,
    procfile,
    run_in_shell,
    wait_until,
)
from tests.system.doctor_stage import OPERATOR_KEY, Diagnosis, Stack, merged

# What a checkout has besides, and lines that start our processes need.
_CHECKOUT = ("Procfile", "agent", "shared_settings", "tests", "token_server")
_PLACEHOLDER = re.compile(r"YOUR-[A-Z-]*[A-Z]")
# In LiveKit's configuration, as cures have it: `webhook.api_key: devkey`.
_PAIR = re.compile(r"`([a-z_]+(?:\.[a-z_]+)*: [^`]+)`")
_DOCTOR = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\S*/)?token-server doctor\b(.*)")
_BEFORE_COMMAND = re.compile(r"^(?:[A-Z_]+=(?:'[^']*'|\S)+ )*")
_ASSIGNMENT = re.compile(r"[A-Z_]+=.*")
_OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}
# How a process says that it serves.
_READY = {"web": r"Listening at: (http://[\d.]+:\d+)", "worker": "registered worker"}
_STARTS_WITHIN, _TYPED_WITHIN = 60.0, 90.0

Program = Callable[[Sequence[str]], object]


class Site:
    """Runs a stack's processes and the doctor in one folder. Ends with its stack.

    Args:
        stack: LiveKit, and whatever runs of ours.
        folder: Is filled with what is found in a checkout, and `.env`.
        is_thorough: Whether what runs with the very same settings is started again too, where that
            is typed: a worker takes 4 s of processor time.

    Attributes:
        environ: The shell's, where settings may be too.
        values: What the operator writes for placeholders like YOUR-API-SECRET.
        programs: Stand-ins for what administers a whole machine, by name.
        may_leave_rooms: Whether nothing lets the doctor delete its room.
    """

    def __init__(self, stack: Stack, folder: Path, *, is_thorough: bool) -> None:
        self.stack, self.folder, self._is_thorough = stack, folder, is_thorough
        self._ends = ExitStack()
        self._lent = stack.worker
        for name in _CHECKOUT:
            (folder / name).symlink_to(ROOT / name)
        plain, given = clean_environ(), stack.environ
        self._written = {k: v for k, v in given.items() if plain.get(k) != v and k != "TMPDIR"}
        self._plain = {k: v for k, v in given.items() if k not in self._written}
        # The file is found where the shell is.
        del self._plain["TOKEN_SERVER_ENV_FILE"]
        self._configuration = stack.livekit.configuration
        self._started: dict[Process, Mapping[str, str]] = {}
        self.reset()

    def reset(self) -> None:
        """Let all settings be good again; what runs with others is started anew when asked for."""
        self._file.write_text("")
        self.environ, self.programs = dict(self._plain), dict[str, Program]()
        self.may_leave_rooms = False
        self.write(**self._written)
        self.values = {
            "YOUR-LIVEKIT-URL": self.stack.livekit.url,
            "YOUR-API-KEY": API_KEY,
            "YOUR-API-SECRET": API_SECRET,
            "YOUR-OPERATOR-KEY": OPERATOR_KEY,
            "YOUR-PORT": str(self.stack.web_port),
            "YOUR-PUBLIC-LIVEKIT-URL": self.stack.livekit.url,
        }
        if self.stack.livekit.configuration != self._configuration:
            self.restart_livekit(self._configuration)

    def write(self, **settings: str) -> None:
        """Add lines to `.env`; of two for one setting the last one counts."""
        with self._file.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    def with_web(self, **environ: str) -> "Site":
        """Start `web`, unless it runs with the very same settings."""
        return self if self._runs_with("web", environ) else self._started_with("web", environ)

    def with_worker(self, **environ: str) -> "Site":
        """Start `worker`, likewise; the one that was there before has good settings."""
        return self if self._runs_with("worker", environ) else self._started_with("worker", environ)

    def _started_with(self, kind: str, environ: Mapping[str, str]) -> "Site":
        self.start(kind, **environ)
        return self

    def _runs_with(self, kind: str, environ: Mapping[str, str]) -> bool:
        process: Process | None = getattr(self.stack, kind)
        if process is None or process.popen.poll() is not None:
            return False
        return self._settings_of(process) == self._effective(environ)

    def _settings_of(self, process: Process) -> Mapping[str, str]:
        good = {**self._written, **self._plain}
        return self._started.get(process) or _without_the_shell_s(good)

    def start(self, kind: str, line: str = "", **environ: str) -> Process:
        """Start one of the Procfile's processes, with these variables too, or as typed."""
        self.stop(kind)
        # In the shell's own place: signals are meant for the process.
        command = ["/bin/sh", "-c", _BEFORE_COMMAND.sub(r"\g<0>exec ", line or procfile()[kind])]
        log = self.stack.logs[kind]
        process = Process(command, self.environ | environ, log, folder=self.folder)
        setattr(self.stack, kind, process)
        self._started[process] = self._effective(environ | _in_front(line))
        found = process.wait_for_output(_READY[kind], within=_STARTS_WITHIN)
        if kind == "web":
            url = f"{found[1]}/healthz"
            wait_until(lambda: plain_http.is_ok(url), within=20, what=process.output())
        return process

    def freeze_worker(self) -> None:
        """Let it do nothing any more."""
        assert self.stack.worker
        self.stack.worker.popen.send_signal(signal.SIGSTOP)
        self._started[self.stack.worker] = {"frozen": ""}

    def stop(self, kind: str) -> None:
        """End it, as with Ctrl-C twice: what is frozen, too."""
        process: Process | None = getattr(self.stack, kind)
        if process:
            process.stop() if kind == "web" else process.kill()

    def diagnose(self, *arguments: str) -> Diagnosis:
        """Run the doctor here."""
        return self._examine(arguments, self.environ)

    def _examine(self, arguments: Sequence[str], environ: Mapping[str, str]) -> Diagnosis:
        return self.stack.examine(
            arguments, environ, self.folder, may_leave_rooms=self.may_leave_rooms
        )

    def type(self, lines: Sequence[str]) -> Diagnosis | None:
        """Type lines as they were printed; return what the doctor says if that is the last one."""
        diagnosis = None
        for line in lines:
            diagnosis = self._type(_PLACEHOLDER.sub(self._value, line))
        return diagnosis

    def configure_livekit(self, cure: str) -> None:
        """Write what a cure has for LiveKit's configuration there, and start LiveKit again."""
        changes: dict[str, Any] = {}
        for pair in _PAIR.findall(cure):
            (path, value), *_ = yaml.safe_load(_PLACEHOLDER.sub(self._value, pair)).items()
            for name in reversed(path.split(".")):
                value = {name: value}
            changes = merged(changes, value)
        wanted = merged(self.stack.livekit.configuration, changes)
        if wanted != self.stack.livekit.configuration:
            self.restart_livekit(wanted)

    def restart_livekit(self, configuration: Mapping[str, Any]) -> None:
        """Start LiveKit with another configuration; a worker that runs finds it again."""
        worker = self.stack.worker
        is_there = worker is not None and worker.popen.poll() is None
        said = worker.output().count("registered worker") if worker and is_there else 0
        self.stack.livekit.restart(configuration)
        if worker and said:
            wait_until(
                lambda: worker.output().count("registered worker") > said,
                within=_STARTS_WITHIN,
                what=f"the worker is registered again\n{worker.output()[-2000:]}",
            )

    def close(self) -> Process | None:
        """End what it has started, but a worker that is as good as the one that was lent.

        Returns:
            The worker that runs on, if it is another one.
        """
        self.reset()
        self._ends.close()
        self.stop("web")
        worker = self.stack.worker
        if worker is None or worker is self._lent:
            return None
        if self._lent and self._runs_with("worker", {}):
            return worker
        worker.kill()
        return None

    def _type(self, line: str) -> Diagnosis | None:
        if doctor := _DOCTOR.fullmatch(line):
            words = [word for word in shlex.split(doctor[1]) if word != "--json"]
            return self._examine(words, self.environ | _in_front(line))
        for kind, command in procfile().items():
            if line.endswith(command):
                self._start_as_typed(kind, line)
                return None
        name, *arguments = shlex.split(line.removeprefix("sudo "))
        if name in self.programs:
            self.programs[name](arguments)
        else:
            self._run(line)
        return None

    def _start_as_typed(self, kind: str, line: str) -> None:
        """Start one of the Procfile's; with a port of its own it is one more, and no other."""
        extra = _in_front(line)
        if "LIVEKIT_AGENT_PORT" not in extra:
            if self._is_thorough or not self._runs_with(kind, extra):
                self.start(kind, line)
            return
        log = self.folder / "beside.log"
        process = Process(["/bin/sh", "-c", line], self.environ, log, folder=self.folder)
        self._ends.callback(process.kill)
        process.wait_for_output(_READY[kind], within=_STARTS_WITHIN)

    def _run(self, line: str) -> None:
        """Run a line in the one shell that there is: what it exports lasts."""
        kept = self.folder / "environ"
        both = f"{line}\nenv -0 >{shlex.quote(str(kept))}"
        done = run_in_shell(both, self.environ, self.folder, seconds=_TYPED_WITHIN)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        pairs = (pair.partition("=") for pair in kept.read_text().split("\0") if pair)
        self.environ = _without_the_shell_s({name: value for name, _, value in pairs})

    def _value(self, found: re.Match[str]) -> str:
        assert found[0] in self.values, f"nobody knows what {found[0]} means"
        return self.values[found[0]]

    def _effective(self, environ: Mapping[str, str]) -> dict[str, str]:
        in_file = {k: v or "" for k, v in DotEnv(self._file).dict().items()}
        return _without_the_shell_s({**in_file, **self.environ, **environ})

    @property
    def _file(self) -> Path:
        return self.folder / ".env"


def is_doctor(line: str) -> bool:
    """Whether a line runs the doctor."""
    return _DOCTOR.fullmatch(line) is not None


def _in_front(line: str) -> dict[str, str]:
    """Return the variables in front of a command."""
    words = itertools.takewhile(_ASSIGNMENT.fullmatch, shlex.split(line))
    return dict(word.split("=", 1) for word in words)


def _without_the_shell_s(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in _OF_THE_SHELL}

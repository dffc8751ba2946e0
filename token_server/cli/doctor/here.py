"""How commands are typed in this folder, with these settings. No I/O."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from token_server.cli.doctor.procfile import is_agent_ours, is_web_ours, line_of
from token_server.cli.doctor.steps import (
    KEY,
    LOGIN_TOKEN,
    OPERATOR_KEY,
    PORT,
    WORKER,
    Address,
    Again,
    Beside,
    OwnWorker,
    Setting,
    Stack,
    Start,
    Step,
)
from token_server.cli.doctor.worker_names import EXPORT, lines_beside_make_dev

# Ours, behind variables perhaps, as cures have them.
_COMMAND = re.compile(
    r"`(?:[A-Z_]+=(?:'[^']*'|\S)+ )*(?=token-server |python -m agent|pip |uv |py-spy )"
    r"|(?<=\$\()(?=token-s)"
)
# The same at the beginning of a line.
_LINE = re.compile(
    r"^(?:[A-Z_]+=(?:'[^']*'|\S)+ )*(?=token-server |python |gunicorn )|(?<=\$\()(?=token-s)"
)
# Without a checkout too.
_PROCFILE = {
    Start.WEB: "gunicorn --config python:token_server.gunicorn_conf token_server.wsgi:app",
    Start.WORKER: "python -m agent start",
}
# What only the reader can know, and has to make up where nobody has set it yet.
_MADE_UP = (
    " In place of YOUR-OPERATOR-KEY stands the server's; where it has none yet, one that"
    " `openssl rand -hex 32` makes up."
)
_DEV = "token-server dev"
_USUAL_PORT = "8080"
# Where the environment has this, an address from a file is not believed (environment.py).
_SECRET = "LIVEKIT_API_SECRET"  # noqa: S105 (a name)


def programs_folder(found: str | None, python: Path, folder: Path) -> str:
    """Return what stands before our commands' names: "" where the PATH leads to them.

    Args:
        found: Where the PATH has `python`; None if it has none.
        python: The one that runs.
        folder: Where the command was typed.
    """
    ours = python.parent
    if found and Path(found).parent == ours:
        return ""
    return f"{ours.relative_to(folder) if ours.is_relative_to(folder) else ours}/"


def as_typed(text: str, programs: str) -> str:
    """Return a cure whose commands can be typed as they stand.

    Args:
        text: The cure.
        programs: What stands before our commands' names.
    """
    return _COMMAND.sub(lambda found: f"{found[0]}{programs}", text)


@dataclass(frozen=True, kw_only=True)
class Here:
    """The folder and the shell that the doctor was typed in.

    Attributes:
        programs: What stands before our commands' names.
        environ: The environment itself.
        settings: What holds: the environment, a file's, and those of a `make dev`.
        procfile: The folder's; "" if it has none.
        own_url: Where the settings say that the token server is.
        url: What --url said; "" for nothing.
        origin: The same of --origin.
        login: The same of --login.
        agent: The same of --agent.
        is_web_here: Whether the token server is on this machine.
        is_outside: Whether nothing but the token server's address is known.
        is_make_dev: Whether a `make dev` is examined.
        has_open_end: Whether the settings' file ends in the middle of a line.
    """

    programs: str = ""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    procfile: str = ""
    own_url: str = ""
    url: str = ""
    origin: str = ""
    login: str = field(default="", repr=False)
    agent: str = ""
    is_web_here: bool = True
    is_outside: bool = False
    is_make_dev: bool = False
    has_open_end: bool = False

    def cure(self, text: str, steps: Sequence[Step]) -> str:
        """Return a cure whose commands can be typed as they stand, and what goes before them."""
        asks_for_key = any(OPERATOR_KEY in line for line in self.commands(steps))
        made_up = _MADE_UP if asks_for_key else ""
        return as_typed(f"{text}{made_up}{self._stop(steps)}", self.programs)

    def _stop(self, steps: Sequence[Step]) -> str:
        """Say what has to end before it is started again, and where each line is typed."""
        starting = (step for step in steps if isinstance(step, Start | OwnWorker))
        named = dict.fromkeys(self._part(step) for step in starting if any(self._lines(step)))
        if not named:
            return ""
        if len(named) == 1:
            return f" Stop {next(iter(named))} first where it still runs: Ctrl-C in its terminal."
        return (
            f" Stop {' and '.join(named)} first where they still run: Ctrl-C in their terminals."
            " Start them again each in a terminal of its own."
        )

    def _part(self, step: Start | OwnWorker) -> str:
        if self._dev in self._lines(step):
            return "`make dev`"
        return "the token server" if step is Start.WEB else "the worker"

    def commands(self, steps: Sequence[Step]) -> tuple[str, ...]:
        """Return the lines to type; the doctor's own where there is nothing to be done here."""
        lines = [line for step in steps for line in self._lines(step)]
        lines = list(dict.fromkeys(lines)) or [self._again(Again())]
        if self.has_open_end and any(line.startswith("echo '") for line in lines):
            lines.insert(0, f"echo >> {self._file}")
        return tuple(_LINE.sub(lambda found: f"{found[0]}{self.programs}", one) for one in lines)

    @property
    def has_worker_line(self) -> bool:
        """Whether the Procfile says how a worker is started."""
        return bool(line_of(Start.WORKER, self.procfile))

    @property
    def is_worker_named_by_setting(self) -> bool:
        """Whether LIVEKIT_AGENT_NAME names the worker that runs here, as far as can be told.

        A worker of one's own may have its name in its code. A token server that is elsewhere
        cannot be told here to ask for another name.
        """
        if self.is_outside or not self.is_web_here:
            return True
        return is_agent_ours(self.procfile) or not (self.procfile or self.is_make_dev)

    def _lines(self, step: Step) -> Iterator[str]:
        match step:
            case Setting():
                yield from self._set(step)
            case Start():
                yield from self._start(step)
            case Stack():
                yield self._dev
            case Address():
                yield from self._address()
            case Again():
                yield self._again(step)
            case Beside():
                yield from self._beside()
            case OwnWorker():
                yield from self._own_worker(step)
            case str():
                yield step

    def _set(self, step: Setting) -> Iterator[str]:
        # Of a proxy's two names the small one is believed.
        if step.name.endswith("_PROXY") and step.name.lower() in self.settings:
            step = replace(step, name=step.name.lower())
        # What a `make dev` was started with is not what the next one is.
        is_so = self.settings.get(step.name, "").strip() == step.value and not self.is_make_dev
        is_theirs = self.is_outside and step.name not in self.environ
        if is_theirs or is_so:
            return
        # The others of a list may be secrets: they are taken over unseen.
        others = f"${{{step.name}}}," if step.is_added and self.settings.get(step.name) else ""
        if not self._is_exported(step.name):
            value = _in_file(f"{others}{step.value}")
            yield f"echo {_quoted(f'{step.name}={value}')} >> {self._file}"
        elif others:
            yield f'export {step.name}="{others}{step.value}"'
        else:
            yield f"export {step.name}={shlex.quote(step.value)}"

    def _is_exported(self, name: str) -> bool:
        """Whether it is, or has to be, of the environment."""
        if name in self.environ or self.environ.get("TOKEN_SERVER_ENV_FILE") == os.devnull:
            return True
        is_file_named = "TOKEN_SERVER_ENV_FILE" in self.environ
        return _SECRET in self.environ and not is_file_named and name not in self.settings

    def _start(self, step: Start) -> Iterator[str]:
        if self.is_outside or (step is Start.WEB and not self.is_web_here):
            return
        if self._is_beside(step):
            yield from lines_beside_make_dev(self.settings.get("LIVEKIT_AGENT_NAME", ""))
        else:
            yield self._dev if self.is_make_dev else self._process(step)

    def _is_beside(self, step: Start) -> bool:
        """Whether the `make dev` that runs starts no worker: somebody else has to."""
        is_worker = self.is_make_dev and step is Start.WORKER and bool(self.procfile)
        return is_worker and not self.has_worker_line

    def _beside(self) -> Iterator[str]:
        if self.is_outside:
            return
        named = ""
        if self.is_make_dev:
            # That tells where LiveKit is, and nothing else.
            yield EXPORT
            name = self.settings.get("LIVEKIT_AGENT_NAME", "")
            named = f"LIVEKIT_AGENT_NAME={_quoted(name)} " if name else "AGENT_DISPATCH=automatic "
        worker = re.sub(r"\bLIVEKIT_AGENT_PORT=\S* ", "", self._process(Start.WORKER))
        yield f"LIVEKIT_AGENT_PORT=0 {named}{worker}"

    def _own_worker(self, step: OwnWorker) -> Iterator[str]:
        """As the Procfile has it in a line with the agent's name; else only its owner knows how."""
        found = line_of(step.agent_name, self.procfile)
        if self.is_outside:
            return
        if found and step.port:
            yield self._dev if self.is_make_dev else found
            return
        if self.is_make_dev:
            yield EXPORT
        named = f"LIVEKIT_AGENT_NAME={shlex.quote(step.agent_name)}"
        worker = re.sub(r"\bLIVEKIT_AGENT_PORT=\S* ", "", found) or f"{named} {WORKER}"
        yield f"LIVEKIT_AGENT_PORT={step.port} {worker}"

    def _process(self, step: Start) -> str:
        found = line_of(step, self.procfile)
        is_ours = bool(found) and (step is not Start.WEB or is_web_ours(self.procfile))
        return found if is_ours else _PROCFILE[step]

    def _address(self) -> Iterator[str]:
        """What named a wrong one is taken back: the option, TOKEN_SERVER_URL, or the port."""
        if self.is_outside:
            yield self._again(Again())
        elif self.url and self.url != self.own_url:
            yield self._again(Again(url=self.own_url))
        elif self.settings.get("TOKEN_SERVER_URL"):
            yield from self._set(Setting("TOKEN_SERVER_URL", ""))
        else:
            yield from self._set(Setting("PORT", PORT))
            yield from self._start(Start.WEB)

    def _again(self, step: Again) -> str:
        shown = (LOGIN_TOKEN if self.login.startswith("ey") else KEY) if self.login else ""
        options = {
            "--url": step.url or self.url,
            "--origin": step.origin or self.origin,
            "--login": step.login or shown,
            "--agent": step.agent or self.agent,
        }
        # The settings say it, and an option less is one less to be wrong.
        if step.url and step.url == self.own_url:
            del options["--url"]
        words = [word for name, value in options.items() if value for word in (name, value)]
        return shlex.join(["token-server", "doctor", *words])

    @property
    def _dev(self) -> str:
        """What starts a `make dev` where the one that is examined listens, or would."""
        port = self.settings.get("PORT", "").strip()
        return f"PORT={shlex.quote(port)} {_DEV}" if port not in {"", _USUAL_PORT} else _DEV

    @property
    def _file(self) -> str:
        return shlex.quote(self.environ.get("TOKEN_SERVER_ENV_FILE") or ".env")


def _in_file(value: str) -> str:
    """Quote a value as a `.env` file has it."""
    if not re.search(r"[\s#'\"\\]", value):
        return value
    escaped = re.sub(r'(["\\])', r"\\\1", value)
    return f'"{escaped}"'


def _quoted(text: str) -> str:
    """Quote a word for the shell, whether it needs that or not: it is read more easily."""
    return "'" + text.replace("'", "'\"'\"'") + "'"

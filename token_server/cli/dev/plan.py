"""What the local stack consists of, worked out from the environment; no I/O."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shared_settings.token_server_url import running_server_url
from token_server.cli.dev import DevError
from token_server.cli.dev.ports import Ports

LIVEKIT = "livekit"
# What a command has in front of its program, as a shell reads it.
_VARIABLES = re.compile(
    r"""(?:[A-Za-z_]\w*=(?:[^\s"'`\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|`[^`]*`)*(?:\s+|$))+"""
)
_OPERATORS = frozenset({"&", "&&", "|", "||", ";", "(", ")"})
# They open a server that listens on loopback only and lives as long as `make dev`. Nothing else
# in this package has a credential by default.
_DEV_API_KEY = "devkey"
_DEV_API_SECRET = "known-to-everybody-and-good-on-loopback-only"  # noqa: S105 (see above)
# TOKEN_AUTH=none serves whoever can connect, so only this machine can.
_DEFAULTS = {"TOKEN_AUTH": "none", "HOST": "127.0.0.1", "DEMO": "1", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True, kw_only=True)
class Child:
    """One process to run: its name in the output, its shell command and its whole environment."""

    name: str
    command: str
    environ: Mapping[str, str]


def procfile_commands(text: str) -> list[tuple[str, str]]:
    """Return name and shell command of each process that a Procfile has a line for."""
    return re.findall(r"^([A-Za-z0-9_-]+):[^\S\n]*(.+)$", text, re.MULTILINE)


def shell_line(command: str) -> str:
    """Return what the shell is told for a process of a Procfile.

    With exec it does not stand between us and the process that handles signals. `exec` comes after
    variables in front of the program, which the shell then reads as ever (`~`, a space in `$HOME`);
    and several commands are the shell's own to run.
    """
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, ""
        words = list(lexer)
    except ValueError:  # a quote without its end: the shell says so
        return command
    variables = _VARIABLES.match(command)
    begin = variables.end() if variables else 0
    if _OPERATORS.intersection(words) or begin == len(command):
        return command
    return f"{command[:begin]}exec {command[begin:]}"


def wants_local_livekit(environ: Mapping[str, str]) -> bool:
    """Tell whether no LIVEKIT_URL is set, so that a livekit-server is started here."""
    return not environ.get("LIVEKIT_URL", "").strip()


def children_environ(
    environ: Mapping[str, str], ports: Ports, programs: Path | None = None
) -> dict[str, str]:
    """Return the environment of `web` and `worker`: what is set stays, what is missing is filled.

    Args:
        environ: The variables of this process and of `.env`; an empty one counts as not set.
        ports: Where the parts listen.
        programs: The folder of gunicorn and python, to be found first.

    Raises:
        DevError: LIVEKIT_URL is set without the key and secret that belong to it.
    """
    given = {name: value for name, value in environ.items() if value.strip()}
    derived = {"PORT": str(ports.web), "LIVEKIT_AGENT_PORT": str(ports.worker_health)}
    if programs:
        derived["PATH"] = f"{programs}:{environ.get('PATH', '')}"
    defaults = dict(_DEFAULTS)
    if given.get("AGENT_DISPATCH") != "automatic":
        defaults["LIVEKIT_AGENT_NAME"] = "voice-agent"
    if wants_local_livekit(environ):
        derived["LIVEKIT_URL"] = f"ws://127.0.0.1:{ports.livekit}"
        defaults |= {"LIVEKIT_API_KEY": _DEV_API_KEY, "LIVEKIT_API_SECRET": _DEV_API_SECRET}
    elif missing := {"LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"} - given.keys():
        raise DevError(
            f"LIVEKIT_URL is set, so {' and '.join(sorted(missing))} must be set too; unset"
            " LIVEKIT_URL to run a livekit-server here."
        )
    return defaults | given | derived


def livekit_child(binary: Path, environ: Mapping[str, str], ports: Ports) -> Child:
    """Return livekit-server on loopback, its webhooks pointed at our web process.

    The configuration travels in LIVEKIT_CONFIG, so no file is left behind and `ps` shows no secret.
    livekit-server takes other LIVEKIT_ variables for settings of its own: it gets none of ours.
    """
    settings = livekit_settings(environ, ports)
    own = {name: value for name, value in environ.items() if not name.startswith("LIVEKIT_")}
    return Child(
        name=LIVEKIT,
        command=f"exec {shlex.quote(str(binary))}",
        environ=own | {"LIVEKIT_CONFIG": json.dumps(settings)},
    )


def livekit_settings(environ: Mapping[str, str], ports: Ports) -> dict[str, object]:
    """Return livekit-server's configuration, as JSON, which is YAML, which it reads."""
    api_key = environ["LIVEKIT_API_KEY"]
    return {
        "port": ports.livekit,
        "bind_addresses": ["127.0.0.1"],
        "rtc": {
            "tcp_port": ports.livekit_rtc_tcp,
            "udp_port": ports.livekit_rtc_udp,
            "node_ip": "127.0.0.1",
            "use_external_ip": False,
            "enable_loopback_candidate": True,
        },
        "keys": {api_key: environ["LIVEKIT_API_SECRET"]},
        "logging": _livekit_logging(environ),
        "webhook": {"api_key": api_key, "urls": [f"{web_url(environ)}/webhook"]},
    }


def _livekit_logging(environ: Mapping[str, str]) -> dict[str, object]:
    """Return what LiveKit prints: its troubles, or all but its requests where debug is asked for.

    Two of three lines of a session were LiveKit's, and buried the others'.
    """
    if environ.get("LOG_LEVEL") != "debug":
        return {"level": "warn"}
    return {"level": "info", "component_levels": {"api": "warn"}}


def web_url(environ: Mapping[str, str]) -> str:
    """Return where `web` is reached from this machine, wherever TOKEN_SERVER_URL may lead."""
    return running_server_url("", environ["PORT"], environ.get("HOST", ""))


def livekit_host(environ: Mapping[str, str]) -> str:
    """Return LIVEKIT_URL's host and port, for people to read."""
    return urlsplit(environ["LIVEKIT_URL"]).netloc.rpartition("@")[2] or environ["LIVEKIT_URL"]

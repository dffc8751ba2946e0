"""What is examined: the settings, where the token server is, and what the command was told."""

import secrets
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address

from shared_settings.settings import SettingsError, TokenAuth
from token_server.bearer_keys import plain_key
from token_server.cli.doctor.asked_agent import fields_of
from token_server.cli.doctor.checks import Check, Trouble, ok
from token_server.cli.doctor.livekit import list_rooms
from token_server.cli.doctor.server import Server
from token_server.cli.doctor.steps import KEY, Setting, Stack, Start, setting_of
from token_server.proxies import proxy_setting
from token_server.settings import ParticipantIdentities, Settings
from token_server.tokens.room_patterns import agent_by_rule, matches_any

_NAMES = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
_WORKER_PORT = 8081  # livekit-agents' own choice


def has_livekit_settings(environ: Mapping[str, str]) -> bool:
    """Whether any variable names a LiveKit; if none does, `make dev` of this machine is meant."""
    return any(environ.get(name, "").strip() for name in _NAMES)


def is_running(children_environ: Mapping[str, str]) -> bool:
    """Whether a LiveKit answers that knows the key that `make dev` gives to its processes."""
    try:
        settings = Settings.from_environ(children_environ)
    except SettingsError:
        return False
    return list_rooms(settings).is_ok


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line said.

    Attributes:
        server_url: Where the token server is.
        origin: The origin of the frontend's pages; "" if it was not given.
        login: A bearer key or login token to show to the token server; "" likewise.
        agent_name: Which agent is examined; "" likewise: the server's own.
        url: What --url said; "" likewise.
        is_make_dev: Whether the settings are those of this machine's `make dev`.
        is_outside: Whether the server is another's: an address was given, and no LiveKit is set.
        of_make_dev: What a `make dev` of this folder would give to its processes, where that is
            the way to start them and none runs; else None.
        process: The environment of this process; LiveKit's client reads its proxy there.
    """

    server_url: str
    origin: str = ""
    login: str = field(default="", repr=False)
    agent_name: str = ""
    url: str = ""
    is_make_dev: bool = False
    is_outside: bool = False
    of_make_dev: Mapping[str, str] | None = field(default=None, repr=False)
    process: MutableMapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Patient:
    """The settings that hold, and the running server; `agent_name` is "" for the server's own."""

    settings: Settings
    server: Server
    origin: str
    worker_host: str
    worker_port: int
    agent_name: str = ""
    is_make_dev: bool = False
    process: MutableMapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_other_agent(self) -> bool:
        """Whether another agent is examined than the one that most callers get."""
        return self.agent_name not in {"", self.settings.allowed_agent_names[0]}

    def fields(self) -> dict[str, object]:
        """Return what the probe asks for: a room that is seen to be a doctor's, where allowed."""
        number = secrets.token_hex(6)
        fields = fields_of(self.agent_name)
        room_name, patterns = self._room_name(f"doctor-{number}"), self.settings.room_names
        if not patterns or matches_any(patterns, room_name):
            fields["room_name"] = room_name
        is_open = self.settings.participant_identities is ParticipantIdentities.CHOSEN
        if is_open and self.settings.token_auth is not TokenAuth.JWT:
            fields["participant_identity"] = f"doctor-{number}"
        return fields

    def _room_name(self, name: str) -> str:
        """Return a name that is covered by the agent's rule, where only AGENT_RULES gives it out.

        A rule for one room only is passed over: others may be there.
        """
        rules, wanted = self.settings.agent_rules, self.agent_name
        if not wanted or wanted in self.settings.allowed_agent_names:
            return name
        made = [pattern.replace("*", name) for pattern, _ in rules if "*" in pattern]
        return next((one for one in made if agent_by_rule(rules, one, "") == wanted), name)

    def lead_clients(self, server_url: str) -> None:
        """Let LiveKit's client reach it as all else here does.

        By itself it knows neither `.env` nor NO_PROXY, and goes through a proxy to loopback too
        (rust-sdks, livekit-net/src/native/connection.rs).
        """
        # An empty one keeps it from looking for https_proxy.
        self.process[proxy_setting(server_url)] = self.settings.proxies.to(server_url)


def admit(environ: Mapping[str, str], options: Options) -> tuple[Check, Patient | None]:
    """Read the settings as the server does; without good ones there is nobody to examine."""
    try:
        settings = Settings.from_environ(environ)
        worker_port = int(environ.get("LIVEKIT_AGENT_PORT") or _WORKER_PORT)
    except SettingsError as error:
        if options.of_make_dev is not None:
            return _no_make_dev(options.of_make_dev), None
        return _bad_settings(*str(error).splitlines()), None
    except ValueError:
        return _bad_settings("LIVEKIT_AGENT_PORT must be a port"), None
    server = Server(
        url=options.server_url,
        login=options.login or plain_key(settings.token_keys),
        operator_key=plain_key(settings.operator_keys),
        proxy=settings.proxies.to(options.server_url),
    )
    patient = Patient(
        settings=settings,
        server=server,
        origin=options.origin,
        worker_host=_worker_host(environ.get("LIVEKIT_AGENT_HOST", "").strip()),
        worker_port=worker_port,
        agent_name=options.agent_name,
        is_make_dev=options.is_make_dev,
        process=options.process,
    )
    source = ["the `make dev` that runs on this machine is examined"]
    check = ok("settings", "All that must be set is set.", *(source * options.is_make_dev))
    return check, patient


def _worker_host(listens_on: str) -> str:
    """Return the address of this machine at which a worker is asked; what is none is not looked at.

    Whether it can listen there, it says itself.
    """
    with suppress(ValueError):
        if not ip_address(listens_on).is_unspecified:
            return listens_on
    return "127.0.0.1"


def _bad_settings(*problems: str) -> Check:
    many = f"{len(problems)} settings are" if len(problems) > 1 else "A setting is"
    return Trouble(
        "settings",
        "Set these, then start web and worker, which read the same settings: neither starts without"
        " good ones. .env.example of the repository has them all; `make dev` in a checkout needs"
        " none.",
        (*_mended(problems), Start.WEB, Start.WORKER),
    ).wrong("settings", f"{many} missing or malformed.", *problems)


def _no_make_dev(environ: Mapping[str, str]) -> Check:
    """Say that nothing runs here: a placeholder that is written to `.env` would be believed."""
    problems: list[str] = []
    try:
        Settings.from_environ(environ)
    except SettingsError as error:
        problems = str(error).splitlines()
    return Trouble(
        "settings",
        "Start it, in a terminal of its own. If it was started before, one of its parts may have"
        " ended it: its last lines say which, and why. To use a LiveKit of your own instead, set"
        " LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET; .env.example has all settings.",
        (*_mended(problems), Stack.OF_DEV),
    ).wrong("settings", "No `make dev` runs in this folder, and no LiveKit is set.", *problems)


def _mended(problems: Sequence[str]) -> list[Setting]:
    mended = list(filter(None, map(setting_of, problems)))
    return (
        [*mended, Setting("TOKEN_KEYS", KEY)] if Setting("TOKEN_AUTH", "key") in mended else mended
    )

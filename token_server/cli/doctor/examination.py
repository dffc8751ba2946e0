"""The checks in their order; each is told as soon as it is known. Open this first."""

import signal
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

from jwt.warnings import InsecureKeyLengthWarning

from shared_settings.livekit_url import websocket_url
from token_server.bearer_keys import plain_key
from token_server.cli.doctor import livekit, server
from token_server.cli.doctor.checks import EXIT_CODES, worst
from token_server.cli.doctor.failing_agents import examine_failing_agents
from token_server.cli.doctor.folder import here_of
from token_server.cli.doctor.live_rooms import examine_room_names
from token_server.cli.doctor.outside import Outside, examine_outside
from token_server.cli.doctor.patient import Options, Patient, admit
from token_server.cli.doctor.peopled_rooms import look_into_rooms
from token_server.cli.doctor.probing import Probing
from token_server.cli.doctor.report import Report
from token_server.cli.doctor.server import Server
from token_server.cli.doctor.waiting_humans import WaitingHumans, check_waits
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit
from token_server.proxies import Proxies
from token_server.setting_types import to_names

_PROBE = ("token", "join", "agent", "webhooks")
_ALL = ("LiveKit", "key", "token server", *_PROBE)
# With these the token server gives no good tokens; without Redis it does.
_HOPELESS = {"server-not-ready", "other-credentials"}


def run(environ: Mapping[str, str], options: Options, *, as_json: bool) -> int:
    """Examine, and return 0 (all well), 1 (something is wrong) or 2 (could not tell).

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM; the probe's room is gone all the same.
    """
    # livekit-server --dev has a short secret, and PyJWT a warning for it.
    warnings.simplefilter("ignore", InsecureKeyLengthWarning)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # JSON has standard output to itself; a person who watches sees what is being done.
    out = sys.stderr if as_json else sys.stdout
    is_terminal = out.isatty()
    has_colours = is_terminal and not environ.get("NO_COLOR")
    report = Report(
        out,
        is_terminal=is_terminal,
        has_colours=has_colours,
        is_quiet=as_json,
        here=here_of(environ, options, Path.cwd(), Path(sys.executable)),
    )
    examine(environ, options, report)
    report.finish()
    if as_json:
        sys.stdout.write(f"{report.as_json()}\n")
    return EXIT_CODES[worst(report.checks)]


def examine(environ: Mapping[str, str], options: Options, report: Report) -> None:
    """Do all checks, within 15 s; what an earlier one rules out is skipped.

    Args:
        environ: The environment and what `.env` adds to it.
        options: What the command line said.
        report: Who is told.
    """
    if options.is_outside:
        examine_outside(_outside(environ, options), report)
        return
    started = time.monotonic()
    check, patient = admit(environ, options)
    report.found(check)
    if patient is None:
        report.skip(_ALL, "the settings are good")
    elif not _examine_livekit(patient, report):
        report.skip(_ALL[2:], "LiveKit answers and accepts the key")
    elif not _examine_server(patient, report):
        report.skip(_PROBE, "the token server is ready")
    else:
        _examine_agent(patient, report, started)


def _outside(environ: Mapping[str, str], options: Options) -> Outside:
    proxies = Proxies.from_environ(environ)
    url = options.server_url
    login = options.login or plain_key(to_names(environ.get("TOKEN_KEYS", "")))
    return Outside(
        server=Server(url=url, login=login, proxy=proxies.to(url)),
        origin=options.origin,
        proxies=proxies,
        agent_name=options.agent_name,
        process=options.process,
    )


def _examine_livekit(patient: Patient, report: Report) -> bool:
    report.doing("asking LiveKit")
    answer = livekit.list_rooms(patient.settings)
    if not report.found(livekit.check_url(websocket_url(patient.settings.livekit_url), answer)):
        return False
    clocks_agree = report.found(livekit.check_clock(answer))
    return report.found(livekit.check_key(answer)) and clocks_agree


def _examine_server(patient: Patient, report: Report) -> bool:
    report.doing("asking the token server")
    health = patient.server.ask("GET", "/healthz")
    if not report.found(server.check_server(patient.server, health)):
        return False
    ready = server.check_ready(patient.server.ask("GET", "/readyz"))
    report.found(ready)
    if patient.settings.redis_url:
        _examine_redis(patient, report, is_server_ready=ready.cause is None)
    if patient.origin:
        _examine_cors(patient, report)
    if ready.cause in _HOPELESS:
        return False
    livekit_of_patient = TwirpLiveKit(Twirp.of(patient.settings))
    report.found(examine_room_names(patient, livekit_of_patient))
    return True


def _examine_agent(patient: Patient, report: Report, started: float) -> None:
    """Look whether the agent comes, to those in the live rooms and to the doctor."""
    livekit_of_patient = TwirpLiveKit(Twirp.of(patient.settings))
    rooms = look_into_rooms(livekit_of_patient)
    if failing := examine_failing_agents(rooms, livekit_of_patient.now()):
        report.found(failing)
    waiting = WaitingHumans(livekit_of_patient, patient.settings, rooms)
    probing = Probing(patient, report, started)
    probing.run()
    waits = waiting.still()
    check = check_waits(
        waits, probing.agent_name, is_well=probing.has_come, now=livekit_of_patient.now()
    )
    if check:
        report.found(check)


def _examine_redis(patient: Patient, report: Report, *, is_server_ready: bool) -> None:
    # redis-py takes half a second to import.
    from token_server.cli.doctor.redis_ping import check_redis, ping  # noqa: PLC0415

    report.doing("asking Redis")
    url = patient.settings.redis_url
    report.found(check_redis(url, ping(url), is_server_ready=is_server_ready))


def _examine_cors(patient: Patient, report: Report) -> None:
    answer = server.preflight(patient.server, patient.origin)
    allowed = patient.settings.cors_origins
    report.found(server.check_cors(patient.server, patient.origin, answer, allowed))

"""The checks in their order; each is told as soon as it is known. Open this first."""

import signal
import sys
import time
import warnings
from collections.abc import Mapping, Sequence

from jwt.warnings import InsecureKeyLengthWarning

from token_server.cli.asking import ask
from token_server.cli.doctor import livekit, server
from token_server.cli.doctor.audience import Audience, is_good
from token_server.cli.doctor.checks import Cause, exit_code, skipped
from token_server.cli.doctor.live_rooms import examine_room_names
from token_server.cli.doctor.patient import Options, Patient, admit
from token_server.cli.doctor.probing import Probing
from token_server.cli.doctor.report import for_machines, on_terminal
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_rooms import LiveKitRooms

_PROBE = ("token", "join", "agent", "webhooks")
_ALL = ("LiveKit", "key", "token server", *_PROBE)
# With these the token server gives no good tokens; without Redis it does.
_HOPELESS = {Cause.SERVER_NOT_READY, Cause.OTHER_CREDENTIALS}


def run(environ: Mapping[str, str], options: Options, *, as_json: bool) -> int:
    """Examine, and return 0 (all well), 1 (something is wrong) or 2 (could not tell).

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM; the probe's room is gone all the same.
    """
    # livekit-server --dev has a short secret, and PyJWT a warning for it.
    warnings.simplefilter("ignore", InsecureKeyLengthWarning)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    no_colour = environ.get("NO_COLOR", "")
    report = for_machines(no_colour) if as_json else on_terminal(sys.stdout, no_colour)
    examine(environ, options, report)
    report.finish()
    if as_json:
        sys.stdout.write(f"{report.as_json()}\n")
    return int(exit_code(report.checks))


def examine(environ: Mapping[str, str], options: Options, audience: Audience) -> None:
    """Do all checks, within 15 s; what an earlier one rules out is skipped.

    Args:
        environ: The environment and what `.env` adds to it.
        options: What the command line said.
        audience: Who is told.
    """
    started = time.monotonic()
    check, patient = admit(environ, options)
    audience.found(check)
    if patient is None:
        _skip(audience, _ALL, "the settings are good")
    elif not _examine_livekit(patient, audience):
        _skip(audience, _ALL[2:], "LiveKit answers and accepts the key")
    elif not _examine_server(patient, audience):
        _skip(audience, _PROBE, "the token server is ready")
    else:
        Probing(patient, audience, started).run()


def _examine_livekit(patient: Patient, audience: Audience) -> bool:
    audience.doing("asking LiveKit")
    answer = livekit.list_rooms(patient.settings)
    is_there = is_good(audience, livekit.check_url(patient.settings.server_url, answer))
    if not is_there:
        return False
    clocks_agree = is_good(audience, livekit.check_clock(answer))
    return is_good(audience, livekit.check_key(answer)) and clocks_agree


def _examine_server(patient: Patient, audience: Audience) -> bool:
    audience.doing("asking the token server")
    health = ask("GET", f"{patient.server.url}/healthz")
    if not is_good(audience, server.check_server(patient.server, health)):
        return False
    ready = server.check_ready(ask("GET", f"{patient.server.url}/readyz"))
    audience.found(ready)
    if patient.settings.redis_url:
        _examine_redis(patient, audience, is_server_ready=ready.cause is None)
    if patient.origin:
        _examine_cors(patient, audience)
    if ready.cause in _HOPELESS:
        return False
    audience.found(examine_room_names(patient, _rooms(patient)))
    return True


def _examine_redis(patient: Patient, audience: Audience, *, is_server_ready: bool) -> None:
    # redis-py takes half a second to import.
    from token_server.cli.doctor.redis_ping import check_redis, ping  # noqa: PLC0415

    audience.doing("asking Redis")
    url = patient.settings.redis_url
    audience.found(check_redis(url, ping(url), is_server_ready=is_server_ready))


def _examine_cors(patient: Patient, audience: Audience) -> None:
    has_login = bool(patient.server.login)
    answer = server.preflight(patient.server, patient.origin, has_login=has_login)
    audience.found(server.check_cors(patient.server, patient.origin, answer))


def _rooms(patient: Patient) -> LiveKitRooms:
    return LiveKitRooms(Twirp.of(patient.settings))


def _skip(audience: Audience, names: Sequence[str], until: str) -> None:
    for name in names:
        audience.found(skipped(name, f"Not before {until}."))

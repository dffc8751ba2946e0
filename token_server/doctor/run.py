"""`token-server doctor`: examines, reports, returns the exit code."""

import signal
import sys
import warnings
from collections.abc import Mapping

from jwt.warnings import InsecureKeyLengthWarning

from token_server.doctor.checks import exit_code
from token_server.doctor.examination import examine
from token_server.doctor.patient import Options
from token_server.doctor.report import for_machines, on_terminal


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

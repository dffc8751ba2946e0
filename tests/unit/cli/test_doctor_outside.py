"""The doctor as a caller: an address, perhaps a login, and nothing of the server's settings."""

import io
import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.loopback import Loopback
from token_server.cli.doctor.checks import Finding
from token_server.cli.doctor.examination import examine
from token_server.cli.doctor.folder import here_of
from token_server.cli.doctor.outside import check_agent, check_join
from token_server.cli.doctor.patient import Options
from token_server.cli.doctor.probe_observation import ObservedAgent, ProbeObservation
from token_server.cli.doctor.report import Report


class WantsLogin(BaseHTTPRequestHandler):
    """A token server that is well, and gives nobody a token."""

    shown: list[str | None]

    def do_GET(self) -> None:
        """Be alive and ready."""
        self._answer(200, {"status": "alive"})

    def do_POST(self) -> None:
        """Want a login."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.shown.append(self.headers["Authorization"])
        self._answer(401, {"msg": "Authorization must be 'Bearer' and a login token"})

    def _answer(self, status: int, content: dict[str, str]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None: ...


def examined(login: str) -> dict[str, tuple[str, str | None]]:
    """Examine it; return each check's finding and cause."""
    report, _ = reported(login)
    return {check.name: (check.finding.value, check.cause) for check in report.checks}


def reported(login: str) -> tuple[Report, str]:
    """Examine it; return the report, and the server's address."""
    WantsLogin.shown = []
    with Loopback(WantsLogin) as running:
        url = f"http://127.0.0.1:{running.port}"
        options = Options(server_url=url, url=url, login=login, is_outside=True)
        here = here_of({}, options, Path("/nowhere"), Path("/bin/python"))
        report = Report(io.StringIO(), is_terminal=False, has_colours=False, here=here)
        examine({}, options, report)
    return report, url


def test_a_caller_is_asked_for_no_setting_of_the_server_s() -> None:
    """It was a list of settings that are missing, with the API secret among them."""
    found = examined("")

    assert ("skipped", None) == found["settings"]
    assert [("ok", None)] * 2 == [found["token server"], found["ready"]]
    assert ("unknown", "login-needed") == found["token"]
    assert [None] == WantsLogin.shown


def test_a_login_that_is_refused_is_what_is_wrong() -> None:
    """It was shown."""
    assert ("wrong", "server-refuses") == examined("a-login")["token"]
    assert ["Bearer a-login"] == WantsLogin.shown


@pytest.mark.parametrize("login", ["", "a-login"])
def test_what_is_to_be_typed_next_names_the_server_again(login: str) -> None:
    """Without --url the next run would look for one on the caller's own machine."""
    report, url = reported(login)

    ((command,),) = [check.commands for check in report.checks if check.name == "token"]
    assert command.endswith(f"token-server doctor --url {url} --login YOUR-LOGIN-TOKEN")


def seen(*agents: str) -> ProbeObservation:
    """A human was in the room for eight seconds, with these agents."""
    stay = ProbeObservation(
        room_name="r", agent_name="tutor", zero=datetime.now(UTC), room_at=None, token_at=0.1
    )
    stay.connected_at, stay.ended_at = 0.3, 8.3
    for name in agents:
        stay.note_agent(f"agent-{name}", ObservedAgent(agent_name=name, seconds=0.9))
    return stay


def test_why_no_agent_came_is_left_to_whoever_has_the_settings() -> None:
    """From here only its absence is seen."""
    assert Finding.OK is check_agent(seen("tutor")).finding

    absent = check_agent(seen())

    assert (Finding.WRONG, "agent-absent") == (absent.finding, absent.cause)
    assert "`tutor`" in absent.says


def test_a_caller_who_cannot_join_is_told_where_they_are_sent() -> None:
    """An address inside the house, say."""
    stay = seen()
    stay.connected_at, stay.join_error = None, "no route"

    check = check_join(stay, "ws://livekit:7880")

    assert ("join-failed", ("no route",)) == (check.cause, check.evidence)
    assert "ws://livekit:7880" in check.says
    assert Finding.OK is check_join(seen(), "ws://livekit:7880").finding

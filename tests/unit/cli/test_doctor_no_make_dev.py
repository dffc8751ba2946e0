"""What is said in a folder where `make dev` is the way to start, and none runs."""

from token_server.cli.dev.plan import children_environ
from token_server.cli.dev.ports import choose_ports
from token_server.cli.doctor.checks import Check
from token_server.cli.doctor.here import Here
from token_server.cli.doctor.patient import Options, admit


def examined(**environ: str) -> Check:
    """Look at a checkout without any LIVEKIT_ setting."""
    would_be = children_environ(environ, choose_ports(environ, is_free=lambda _: True))
    check, patient = admit(environ, Options(server_url="http://a.example", of_make_dev=would_be))
    assert patient is None
    return check


def test_no_placeholder_is_written_where_make_dev_makes_up_what_is_missing() -> None:
    """`LIVEKIT_URL=YOUR-LIVEKIT-URL` in `.env` kept the next `make dev` from starting."""
    check = examined()

    assert "settings" == check.cause
    assert "No `make dev` runs in this folder" in check.says
    assert "its last lines say which" in check.cure
    assert ("token-server dev",) == Here().commands(check.steps)
    assert "Stop it first" not in Here().cure(check.cure, check.steps)


def test_what_make_dev_would_stumble_over_is_mended_first() -> None:
    """It takes over what is set, malformed or not."""
    given = {"RATE_LIMIT": "often"}
    check = examined(**given)

    lines = Here(settings=given).commands(check.steps)
    assert ("echo 'RATE_LIMIT=' >> .env", "token-server dev") == lines
    assert 1 == len(check.evidence)
    assert check.evidence[0].startswith("RATE_LIMIT")


def test_without_make_dev_each_missing_setting_has_its_line() -> None:
    """A server with a LiveKit of its own needs them all."""
    check, _ = admit({}, Options(server_url="http://a.example"))

    assert "echo 'LIVEKIT_URL=YOUR-LIVEKIT-URL' >> .env" in Here().commands(check.steps)

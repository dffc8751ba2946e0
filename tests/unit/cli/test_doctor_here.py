"""Cures that can be typed as they stand."""

import os
import subprocess
from pathlib import Path

import pytest

from shared_settings.env_file import with_env_file
from tests.processes import ROOT
from token_server.cli.doctor.folder import here_of, is_checkout
from token_server.cli.doctor.here import Here, as_typed, programs_folder
from token_server.cli.doctor.patient import Options
from token_server.cli.doctor.steps import (
    Address,
    Again,
    Beside,
    Setting,
    Stack,
    Start,
    Step,
    setting_of,
)
from token_server.cli.doctor.worker_names import beside_make_dev
from token_server.cli.running_server import server_url

OURS = Path("/project/.venv/bin/python")


@pytest.mark.parametrize(
    ("found", "folder", "programs"),
    [
        pytest.param("/project/.venv/bin/python", "/project", "", id="active"),
        pytest.param("/usr/bin/python", "/project", ".venv/bin/", id="checkout"),
        pytest.param(None, "/project", ".venv/bin/", id="no-python"),
        pytest.param("/usr/bin/python", "/home", "/project/.venv/bin/", id="elsewhere"),
    ],
)
def test_the_folder_of_programs_is_named_where_the_path_does_not_lead_there(
    found: str | None, folder: str, programs: str
) -> None:
    """`token-server: command not found` was what a cure led to in a checkout."""
    assert programs == programs_folder(found, OURS, Path(folder))


def test_commands_of_ours_get_that_folder_and_nothing_else_does() -> None:
    """Behind variables and in a substitution too."""
    text = "`A_B=c python -m agent start`, `token-server doctor`, `curl x`: token-server"

    assert (
        "`A_B=c .venv/bin/python -m agent start`, `.venv/bin/token-server doctor`, `curl x`:"
        " token-server"
    ) == as_typed(text, ".venv/bin/")
    assert '`eval "$(x/token-server dev --export)"`' == as_typed(
        '`eval "$(token-server dev --export)"`', "x/"
    )


def test_a_worker_beside_make_dev_is_not_asked_for_what_that_has() -> None:
    """Its secret is nowhere else to be read."""
    here = Here(programs=".venv/bin/")

    assert (
        'eval "$(.venv/bin/token-server dev --export)"',
        "LIVEKIT_AGENT_NAME=tutor .venv/bin/python -m agent start",
    ) == here.commands(beside_make_dev("tutor").steps)
    quoted = here.commands(beside_make_dev("my tutor").steps)
    assert "LIVEKIT_AGENT_NAME='my tutor' .venv/bin/python -m agent start" == quoted[-1]


SECRET = {"LIVEKIT_API_SECRET": "s"}
WEB = "gunicorn --config python:token_server.gunicorn_conf token_server.wsgi:app"


@pytest.mark.parametrize(
    ("here", "line"),
    [
        pytest.param(Here(), "echo 'A=b' >> .env", id="nowhere-yet"),
        pytest.param(Here(settings={"A": "c"}), "echo 'A=b' >> .env", id="file"),
        pytest.param(Here(settings={"A": "c"}, environ={"A": "c"}), "export A=b", id="environment"),
        pytest.param(Here(environ=SECRET), "export A=b", id="beside-the-secret"),
        pytest.param(
            Here(environ={"TOKEN_SERVER_ENV_FILE": "my env"} | SECRET),
            "echo 'A=b' >> 'my env'",
            id="other-file",
        ),
        pytest.param(
            Here(environ={"TOKEN_SERVER_ENV_FILE": os.devnull}), "export A=b", id="no-file-at-all"
        ),
        pytest.param(Here(settings={"A": "b"}), "token-server doctor", id="as-it-should-be"),
        pytest.param(Here(is_outside=True, environ={"A": "c"}), "export A=b", id="far-and-ours"),
        pytest.param(
            Here(is_outside=True, url="https://a"), "token-server doctor --url https://a", id="far"
        ),
    ],
)
def test_a_setting_is_changed_where_it_is_read_from(here: Here, line: str) -> None:
    """The environment wins over the file: what is written there would change nothing."""
    assert (line,) == here.commands([Setting("A", "b")])


def test_a_line_is_not_glued_to_the_file_s_last_one() -> None:
    """Editors may leave a file without its last line's end."""
    here = Here(has_open_end=True)

    assert ("echo >> .env", "echo 'A=b' >> .env") == here.commands([Setting("A", "b")])
    assert (WEB,) == here.commands([Start.WEB])


def test_a_value_comes_out_of_the_file_as_it_was_meant(tmp_path: Path) -> None:
    """A space would end it, a # begin a comment; the others of a list stay, and are not shown."""
    (tmp_path / ".env").write_text("KEYS=old\n")
    steps = [Setting("NAME", 'it\'s "#1"'), Setting("KEYS", "new", is_added=True)]
    lines = Here(settings={"KEYS": "old"}).commands(steps)

    subprocess.run(["/bin/sh", "-ec", "\n".join(lines)], cwd=tmp_path, check=True)

    written = with_env_file({"TOKEN_SERVER_ENV_FILE": str(tmp_path / ".env")})
    assert ('it\'s "#1"', "old,new") == (written["NAME"], written["KEYS"])
    assert "old" not in "".join(lines)


def test_an_exported_list_keeps_its_others() -> None:
    """They may be secrets, so the shell puts them in."""
    here = Here(settings={"KEYS": "old"}, environ={"KEYS": "old"})

    assert ('export KEYS="${KEYS},new"',) == here.commands([Setting("KEYS", "new", is_added=True)])


@pytest.mark.parametrize(
    ("here", "step", "lines"),
    [
        pytest.param(Here(), Start.WEB, (WEB,), id="web"),
        pytest.param(
            Here(procfile=(ROOT / "Procfile").read_text()),
            Start.WEB,
            ("gunicorn --config token_server/gunicorn_conf.py token_server.wsgi:app",),
            id="checkout",
        ),
        pytest.param(
            Here(procfile="web: serve token_server\nworker: python my.py start\n", programs="x/"),
            Start.WORKER,
            ("x/python my.py start",),
            id="own-worker",
        ),
        pytest.param(Here(procfile="web: npm start"), Start.WEB, (WEB,), id="a-stranger-s-web"),
        pytest.param(Here(is_make_dev=True), Start.WORKER, ("token-server dev",), id="make-dev"),
        pytest.param(
            Here(is_make_dev=True, settings={"PORT": "9321"}, programs="x/"),
            Start.WEB,
            ("PORT=9321 x/token-server dev",),
            id="make-dev-at-another-port",
        ),
        pytest.param(
            Here(is_make_dev=True, settings={"PORT": "8080"}),
            Start.WEB,
            ("token-server dev",),
            id="make-dev-at-the-usual-port",
        ),
        pytest.param(
            Here(settings={"PORT": "9321"}),
            Stack.OF_DEV,
            ("PORT=9321 token-server dev",),
            id="no-make-dev",
        ),
        pytest.param(
            Here(
                is_make_dev=True,
                procfile="web: gunicorn token_server.wsgi:app",
                settings={"LIVEKIT_AGENT_NAME": "tutor"},
            ),
            Start.WORKER,
            (
                'eval "$(token-server dev --export)"',
                "LIVEKIT_AGENT_NAME=tutor python -m agent start",
            ),
            id="make-dev-that-starts-no-worker",
        ),
        pytest.param(
            Here(is_make_dev=True, procfile="worker: python -m agent start"),
            Start.WORKER,
            ("token-server dev",),
            id="make-dev-that-starts-a-worker",
        ),
        pytest.param(
            Here(is_web_here=False, url="https://a"),
            Start.WEB,
            ("token-server doctor --url https://a",),
            id="on-another-machine",
        ),
        pytest.param(
            Here(procfile="worker: LIVEKIT_AGENT_PORT=8082 python my.py start"),
            Beside(),
            ("LIVEKIT_AGENT_PORT=0 python my.py start",),
            id="beside",
        ),
        pytest.param(
            Here(is_make_dev=True, settings={"LIVEKIT_AGENT_NAME": "tutor"}),
            Beside(),
            (
                'eval "$(token-server dev --export)"',
                "LIVEKIT_AGENT_PORT=0 LIVEKIT_AGENT_NAME='tutor' python -m agent start",
            ),
            id="beside-make-dev",
        ),
    ],
)
def test_a_process_is_started_as_its_folder_does(
    here: Here, step: Step, lines: tuple[str, ...]
) -> None:
    """The Procfile is what everybody starts from."""
    assert lines == here.commands([step])


@pytest.mark.parametrize(
    ("here", "lines"),
    [
        pytest.param(
            Here(url="http://a", own_url="http://b", origin="http://c"),
            ("token-server doctor --origin http://c",),
            id="option",
        ),
        pytest.param(
            Here(settings={"TOKEN_SERVER_URL": "http://a"}),
            ("echo 'TOKEN_SERVER_URL=' >> .env",),
            id="setting",
        ),
        pytest.param(Here(), ("echo 'PORT=YOUR-PORT' >> .env", WEB), id="port"),
    ],
)
def test_what_named_a_wrong_address_is_taken_back(here: Here, lines: tuple[str, ...]) -> None:
    """Without --url and TOKEN_SERVER_URL it is this machine's, at PORT."""
    assert lines == here.commands([Address.OF_SERVER])


def test_no_login_is_shown_again() -> None:
    """It is a secret, and reports are pasted."""
    assert ("token-server doctor --login YOUR-KEY",) == Here(login="s3cret").commands([Again()])
    assert ("token-server doctor --login YOUR-LOGIN-TOKEN",) == Here(login="eyJ").commands([])


def test_a_setting_that_is_missing_or_malformed_is_named_by_its_problem() -> None:
    """What is no setting's problem is nothing to be set."""
    assert Setting("LIVEKIT_URL", "YOUR-LIVEKIT-URL") == setting_of("LIVEKIT_URL must be set")
    assert Setting("RATE_LIMIT", "") == setting_of("RATE_LIMIT must be like 5/minute")
    assert Setting("TOKEN_JWT_AUDIENCE", "") == setting_of("TOKEN_JWT_AUDIENCE must be empty when")
    assert None is setting_of("Something must be installed")


def test_of_a_proxy_s_two_names_the_one_that_is_believed_is_set() -> None:
    """With both there, the other one changes nothing."""
    given = {"https_proxy": "http://a"}

    lines = Here(settings=given, environ=given).commands([Setting("HTTPS_PROXY", "http://b")])

    assert ("export https_proxy=http://b",) == lines


def test_the_folder_says_how_its_processes_are_started(tmp_path: Path) -> None:
    """Its Procfile, and the end of its `.env`."""
    (tmp_path / ".env").write_text("A=c")
    (tmp_path / "Procfile").write_text("worker: python my.py start\n")
    options = Options(server_url="http://127.0.0.1:8080")

    here = here_of({"A": "c"}, options, tmp_path, tmp_path / "bin/python")

    assert (
        "echo >> .env",
        "echo 'A=b' >> .env",
        "bin/python my.py start",
    ) == here.commands([Setting("A", "b"), Start.WORKER])


@pytest.mark.parametrize(
    ("procfile", "is_so"),
    [
        pytest.param((ROOT / "Procfile").read_text(), True, id="ours"),
        pytest.param("web: npm start\nworker: python my.py start\n", False, id="a-stranger-s"),
        pytest.param("", False, id="none"),
    ],
)
def test_a_checkout_is_known_by_its_procfile(tmp_path: Path, procfile: str, *, is_so: bool) -> None:
    """Elsewhere `make dev` is nothing that could be started."""
    (tmp_path / "Procfile").write_text(procfile)

    assert is_so is is_checkout(tmp_path)


@pytest.mark.parametrize(
    ("environ", "is_here"),
    [
        pytest.param({}, True, id="loopback"),
        pytest.param({"HOST": "192.168.1.20"}, True, id="the-address-it-listens-at"),
        pytest.param({"TOKEN_SERVER_URL": "https://tokens.example"}, False, id="elsewhere"),
        pytest.param({"TOKEN_SERVER_URL": "http://localhost:9000"}, True, id="named-loopback"),
    ],
)
def test_a_token_server_elsewhere_is_not_started_here(
    tmp_path: Path, environ: dict[str, str], *, is_here: bool
) -> None:
    """A second one would listen beside the one that is meant."""
    options = Options(server_url=server_url(environ))

    here = here_of(environ, options, tmp_path, tmp_path / "bin/python")

    assert is_here is here.is_web_here

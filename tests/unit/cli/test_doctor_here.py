"""Cures that can be typed as they stand."""

from pathlib import Path

import pytest

from token_server.cli.doctor.arrival import beside_make_dev
from token_server.cli.doctor.here import as_typed, programs_folder

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
    cure = as_typed(beside_make_dev("tutor"), ".venv/bin/")

    assert '`eval "$(.venv/bin/token-server dev --export)"`' in cure
    assert "`LIVEKIT_AGENT_NAME=tutor .venv/bin/python -m agent start`" in cure
    quoted = as_typed(beside_make_dev("my tutor"), ".venv/bin/")
    assert "`LIVEKIT_AGENT_NAME='my tutor' .venv/bin/python -m agent start`" in quoted

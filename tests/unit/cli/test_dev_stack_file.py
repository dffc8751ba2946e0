"""What `make dev` leaves in its folder, and who believes it."""

import errno
import json
import os
from pathlib import Path

import pytest

from token_server.cli.__main__ import main
from token_server.cli.dev import DevError
from token_server.cli.dev.run import export_lines
from token_server.cli.dev.stack_file import NAME, left_behind, stack_here, with_stack

RUNNING = {
    "PORT": "9000",
    "LIVEKIT_URL": "ws://127.0.0.1:7880",
    "LIVEKIT_API_KEY": "devkey",
    "LIVEKIT_API_SECRET": "a made-up secret",
    "TOKEN_AUTH": "key",
}


def test_commands_of_the_folder_find_the_stack_while_it_runs(tmp_path: Path) -> None:
    """Whatever its PORT and TOKEN_AUTH; what is none of ours is not written down."""
    with left_behind(tmp_path, RUNNING | {"AWS_SECRET": "x"}) as path:
        assert path
        assert RUNNING == stack_here(tmp_path, {})
        assert 0o600 == path.stat().st_mode & 0o777

    assert ({}, False) == (stack_here(tmp_path, {}), path.exists())


def test_a_dead_stack_is_not_believed(tmp_path: Path) -> None:
    """The machine lost its power, or the folder came with such a file."""
    (tmp_path / NAME).write_text(json.dumps(RUNNING | {"PORT": "1" * 99}))

    assert {} == stack_here(tmp_path, {})
    with left_behind(tmp_path, RUNNING):
        assert RUNNING == stack_here(tmp_path, {})


def test_what_others_may_write_is_not_believed(tmp_path: Path) -> None:
    """It would say where our keys are sent."""
    with left_behind(tmp_path, RUNNING) as path:
        assert path
        path.chmod(0o622)

        assert {} == stack_here(tmp_path, {})


def test_the_second_stack_of_a_folder_leaves_the_first_one_s_file(tmp_path: Path) -> None:
    """It is found by its PORT, as before."""
    with left_behind(tmp_path, RUNNING):
        with left_behind(tmp_path, RUNNING | {"PORT": "9001"}) as second:
            assert second is None
        assert RUNNING == stack_here(tmp_path, {})


@pytest.mark.parametrize(
    "environ",
    [
        {"PORT": "8080"},
        {"LIVEKIT_URL": "wss://x.livekit.cloud"},
        {"TOKEN_SERVER_URL": "https://tokens.example"},
        {"TOKEN_SERVER_ENV_FILE": "/etc/token-server.env"},
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_another_server_or_livekit_is_what_the_environment_says(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """Production is looked at from the folder where `make dev` runs."""
    with left_behind(tmp_path, RUNNING):
        assert {} == stack_here(tmp_path, environ)


def test_a_stack_that_was_started_with_another_file_is_found_with_it(tmp_path: Path) -> None:
    """Both were typed in the same shell."""
    file = {"TOKEN_SERVER_ENV_FILE": "dev.env"}
    with left_behind(tmp_path, RUNNING | file):
        assert RUNNING | file == stack_here(tmp_path, file)
        assert {} == stack_here(tmp_path, {"TOKEN_SERVER_ENV_FILE": "production.env"})


def test_the_url_of_the_command_line_says_which_is_meant(tmp_path: Path) -> None:
    """`token-server doctor --url`."""
    with left_behind(tmp_path, RUNNING):
        assert RUNNING == stack_here(tmp_path, {"PORT": "9000"}, "http://localhost:9000/")
        assert {} == stack_here(tmp_path, {}, "https://tokens.example:9000")


def test_the_environment_counts_before_the_stack_and_that_before_the_file() -> None:
    """OPERATOR_KEY=… in front of a command; a `.env` that was changed since."""
    found = {"OPERATOR_KEY": "", "TOKEN_AUTH": "none", "OTHER": "x"}

    environ = with_stack(found, {"OPERATOR_KEY": "", "PORT": "9000"}, RUNNING)

    assert RUNNING | {"OTHER": "x", "OPERATOR_KEY": ""} == environ


def test_a_shell_takes_what_leads_to_the_stack() -> None:
    """A worker of one's own beside `make dev` has no other way to its secret."""
    assert [
        "export LIVEKIT_URL=ws://127.0.0.1:7880",
        "export LIVEKIT_API_KEY=devkey",
        "export LIVEKIT_API_SECRET='a made-up secret'",
    ] == export_lines(RUNNING)
    with pytest.raises(DevError, match="no `make dev` runs in this folder"):
        export_lines({})


def test_a_full_disk_does_not_end_the_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a folder of somebody else's file: it is found by its PORT then."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.ftruncate", fail)

    with left_behind(tmp_path, RUNNING) as path:
        assert path is None
    assert {} == stack_here(tmp_path, {})


def test_where_there_are_no_locks_nobody_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that came with such a file, unpacked on a network's disk."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / NAME).write_text(json.dumps(RUNNING))
    monkeypatch.setattr("fcntl.flock", fail)

    assert {} == stack_here(tmp_path, {})


def test_a_named_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    """In a stranger's folder it would hold up every command."""
    os.mkfifo(tmp_path / NAME)

    assert {} == stack_here(tmp_path, {})


def test_a_shell_that_was_told_of_an_older_stack_is_told_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make dev` was started again, with another port."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIVEKIT_URL", "ws://127.0.0.1:7999")

    with left_behind(tmp_path, RUNNING):
        code = main(["dev", "--export"])

    assert (0, True) == (code, "LIVEKIT_URL=ws://127.0.0.1:7880\n" in capsys.readouterr().out)

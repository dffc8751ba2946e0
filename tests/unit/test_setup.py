"""The decisions of `make setup`; that it works as a whole, every `make test` shows."""

from pathlib import Path

import pytest

from setup.livekit_server import uses_other_server
from setup.stamps import digest
from setup.system_packages import missing_packages
from setup.venv import pinned
from token_server.cli.dev import DevError
from token_server.cli.dev.binary import find_livekit_server


@pytest.mark.parametrize(
    ("environ", "dotenv", "expected"),
    [
        pytest.param({}, "", False, id="nothing"),
        pytest.param({"LIVEKIT_URL": "wss://x"}, "", True, id="environment"),
        pytest.param({"LIVEKIT_URL": ""}, "LIVEKIT_URL=wss://x", False, id="environment-wins"),
        pytest.param({}, "A=1\nLIVEKIT_URL=wss://x\n", True, id="file"),
        pytest.param({}, "export LIVEKIT_URL = 'wss://x'", True, id="export-quoted"),
        pytest.param({}, "LIVEKIT_URL=\nLIVEKIT_API_KEY=k", False, id="empty"),
        pytest.param({}, 'LIVEKIT_URL=""', False, id="empty-quoted"),
        pytest.param({}, "# LIVEKIT_URL=wss://x", False, id="comment"),
    ],
)
def test_no_server_is_built_where_another_is_used(
    environ: dict[str, str], dotenv: str, *, expected: bool
) -> None:
    """Somebody on LiveKit Cloud needs no Go."""
    assert expected == uses_other_server(environ, dotenv)


def test_one_package_is_cut_from_the_lock_file_with_its_hashes() -> None:
    """The installer itself comes by hash, as all that it installs."""
    lock = "a==1 \\\n    --hash=x\nuv==2 \\\n    --hash=y \\\n    --hash=z\n    # via me\nz==3\n"

    assert pinned("uv", lock) == "uv==2 \\\n    --hash=y \\\n    --hash=z\n"


def test_a_changed_or_renamed_file_changes_the_digest(tmp_path: Path) -> None:
    """What was made from it is made again."""
    file = tmp_path / "a"
    file.write_text("1")
    first = digest([file])
    file.write_text("2")
    second = digest([file])
    renamed = file.rename(tmp_path / "b")

    assert 3 == len({first, second, digest([renamed])})


def test_any_of_a_programs_names_will_do() -> None:
    """Ubuntu's Chromium has another name than Debian's."""
    here = {
        "chromium-browser": "/usr/bin/chromium-browser",
        "espeak-ng": "/usr/bin/espeak-ng",
        "/usr/sbin/nginx": "/usr/sbin/nginx",
        "systemd-analyze": "/usr/bin/systemd-analyze",
    }

    assert ["prometheus", "redis-server"] == missing_packages(here.get)


def test_livekit_server_is_looked_for_in_order(tmp_path: Path) -> None:
    """The one that a person names wins; then PATH; then what set-up has built."""
    named, on_path = tmp_path / "named", tmp_path / "bin/livekit-server"
    built = tmp_path / ".tools/bin/livekit-server"
    for program in (named, on_path, built):
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(0o755)
    path = {"PATH": str(on_path.parent)}
    nowhere = {"PATH": str(tmp_path)}

    found = [
        find_livekit_server(path | {"LIVEKIT_SERVER_BIN": str(named)}, tmp_path),
        find_livekit_server(path, tmp_path),
        find_livekit_server(nowhere, tmp_path),
        find_livekit_server(nowhere, tmp_path / "elsewhere"),
    ]

    assert [named, on_path, built, None] == found


def test_another_version_of_livekit_server_is_kept_beside_the_usual(tmp_path: Path) -> None:
    """`make test LIVEKIT_SERVER_VERSION=1.9.11` must not test the one on PATH."""
    on_path = tmp_path / "bin/livekit-server"
    built = tmp_path / ".tools/livekit-server-1.9.11/livekit-server"
    for program in (on_path, built):
        program.parent.mkdir(parents=True)
        program.touch(0o755)
    path = {"PATH": str(on_path.parent)}

    found = [
        find_livekit_server(path | {"LIVEKIT_SERVER_VERSION": version}, tmp_path)
        for version in ("1.9.11", "v1.9.11", "1.11.0", "")
    ]

    assert [built, built, None, on_path] == found


@pytest.mark.parametrize("version", ["latest", "1.9", "1.9.11/../..", "main"])
def test_a_version_is_three_numbers(version: str) -> None:
    """It becomes a folder's name."""
    with pytest.raises(DevError, match="LIVEKIT_SERVER_VERSION must be like"):
        find_livekit_server({"LIVEKIT_SERVER_VERSION": version}, Path())


def test_a_named_livekit_server_must_exist(tmp_path: Path) -> None:
    """A typing error must not silently start another version."""
    with pytest.raises(DevError, match="LIVEKIT_SERVER_BIN is not a program"):
        find_livekit_server({"LIVEKIT_SERVER_BIN": str(tmp_path / "typo")}, tmp_path)

"""What an operator is warned of when the server starts."""

from pathlib import Path

import pytest

from tests.environ import settings
from token_server.start_warnings import start_warnings
from token_server.state.shared_folder import SharedFolder

FOLDER = SharedFolder(Path("/run/ours"))
HASH = f"sha256:{'0' * 64}"
SHORT = "MaRkEr"
LOGINS = {
    "TOKEN_AUTH": "jwt",
    "TOKEN_JWT_ISSUER": "https://login.example",
    "TOKEN_JWT_AUDIENCE": "us",
}


def lines(**changes: str) -> list[str]:
    """The lines of these settings, on loopback."""
    return start_warnings(settings(**{"HOST": "127.0.0.1"} | changes), FOLDER)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"LIVEKIT_API_SECRET": SHORT}, "LIVEKIT_API_SECRET"),
        ({"LIVEKIT_API_SECRET": SHORT + "x" * 25}, "LIVEKIT_API_SECRET"),
        ({"LIVEKIT_WEBHOOK_KEYS": f"key:{'x' * 32}, old:{SHORT}"}, "LIVEKIT_WEBHOOK_KEYS"),
        ({"TOKEN_AUTH": "key", "TOKEN_KEYS": f"{'x' * 16}, {SHORT}"}, "TOKEN_KEYS"),
        ({"OPERATOR_KEY": f"{HASH}, {SHORT}xxxxxxxxx"}, "OPERATOR_KEY"),
        ({"TOKEN_TTL_SECONDS": "60"}, "TOKEN_TTL_SECONDS=60"),
        ({"ROOM_EMPTY_TIMEOUT_SECONDS": "5"}, "ROOM_EMPTY_TIMEOUT_SECONDS=5"),
        ({"TOKEN_TTL_SECONDS": "601"}, "ROOM_EMPTY_TIMEOUT_SECONDS=600"),
        ({"HOST": ""}, "TOKEN_AUTH"),
        ({"HOST": "::"}, "TOKEN_AUTH"),
        ({"HOST": "tokens.example"}, "TOKEN_AUTH"),
        ({"REDIS_URL": f"rediss://:{SHORT}@r", "REDIS_TLS_VERIFY": "0"}, "REDIS_TLS_VERIFY=0"),
        (LOGINS | {"TOKEN_JWT_TRUST_PLAIN_HTTP": "1"}, "TOKEN_JWT_TRUST_PLAIN_HTTP=1"),
        (
            LOGINS | {"TOKEN_JWT_AUDIENCE": "", "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE": "1"},
            "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE=1",
        ),
        ({"TOKEN_AUTH": "key", "TOKEN_KEYS": HASH, "RATE_LIMIT": "30/minute"}, "TOKEN_AUTH"),
    ],
)
def test_what_is_weak_is_said_in_one_line(changes: dict[str, str], name: str) -> None:
    """By its variable, and never by its value."""
    (line,) = lines(**changes)

    assert (True, False) == (line.startswith(name), SHORT in line)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"LIVEKIT_API_SECRET": "é" * 16},
        {"TOKEN_KEYS": SHORT},
        {"TOKEN_AUTH": "key", "TOKEN_KEYS": f"{HASH}, {'x' * 16}"},
        {"OPERATOR_KEY": HASH},
        {"TOKEN_TTL_SECONDS": "61", "ROOM_EMPTY_TIMEOUT_SECONDS": "61"},
        {"HOST": "0.0.0.0", "RATE_LIMIT": "30/minute"},  # noqa: S104 (never listened on)
        {"HOST": "0.0.0.0", "TOKEN_AUTH": "key", "TOKEN_KEYS": HASH},  # noqa: S104
        {"TOKEN_AUTH": "key", "TOKEN_KEYS": HASH, "RATE_LIMIT": "9/day", "RATE_LIMIT_KEY": "9/day"},
        {"HOST": "localhost"},
        {"HOST": "[::1]"},
        {"HOST": "127.0.0.2"},
        {"REDIS_URL": "redis://r", "REDIS_TLS_VERIFY": "0"},
        {"REDIS_URL": "rediss://r", "REDIS_TLS_VERIFY": "1"},
        {"TOKEN_JWT_TRUST_PLAIN_HTTP": "1", "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE": "1"},
        LOGINS,
    ],
)
def test_what_is_good_enough_is_not_talked_about(changes: dict[str, str]) -> None:
    """Whoever is warned for nothing does not read the next warning; `make dev` is silent."""
    assert [] == lines(**changes)


def test_a_room_that_ends_before_its_token_is_said_with_what_to_set() -> None:
    """Only who has room.auto_create: false needs it: so it is no refusal."""
    (line,) = lines(ROOM_EMPTY_TIMEOUT_SECONDS="5", TOKEN_TTL_SECONDS="90")

    assert "less than TOKEN_TTL_SECONDS=90" in line
    assert "room.auto_create: false" in line
    assert "set ROOM_EMPTY_TIMEOUT_SECONDS=90" in line


def test_every_trouble_has_its_own_line() -> None:
    """All of them are to be mended."""
    found = lines(LIVEKIT_API_SECRET=SHORT, OPERATOR_KEY=SHORT, HOST="")

    assert ["LIVEKIT_API_SECRET", "OPERATOR_KEY", "TOKEN_AUTH"] == [
        line.partition(" ")[0].partition("=")[0] for line in found
    ]


def test_a_folder_that_others_have_taken_is_said_with_what_is_used() -> None:
    """Sharing is never turned off in silence."""
    folder = SharedFolder(Path("/run/next"), ("/run/ours is theirs",))

    (line,) = start_warnings(settings(HOST="127.0.0.1"), folder)

    assert "/run/ours is theirs: the processes of this machine share /run/next instead" == line

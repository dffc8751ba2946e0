"""The doctor's verdicts on LiveKit and the token server, from their answers."""

import json
import time
from email.utils import formatdate

import jwt
import pytest

from tests.environ import settings
from tests.processes import API_KEY, API_SECRET
from token_server.doctor import issued_token, livekit, server
from token_server.doctor.asking import Answer, Silence
from token_server.doctor.checks import Cause, Finding
from token_server.doctor.server import Server

SERVER = Server(url="https://tokens.example")


def answer(status: int, body: object = "", **headers: str) -> Answer:
    """An answer as of now; a body that is no text is JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(
        status=status, headers=headers, unverified_body=text.encode(), asked_at=time.time()
    )


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        pytest.param(answer(401, "invalid API key: devkey"), "key-unknown", id="key"),
        pytest.param(
            answer(401, "invalid token: eyJ.x, error: token signature is invalid"),
            "secret-wrong",
            id="secret",
        ),
        pytest.param(answer(401, {"code": "unauthenticated"}), "key-or-secret", id="twirp"),
        pytest.param(answer(403, {"code": "permission_denied"}), "key-or-secret", id="denied"),
    ],
)
def test_what_livekit_refuses_is_told_apart(refusal: Answer, cause: str) -> None:
    """A wrong key and a wrong secret are mended in different places."""
    check = livekit.check_key(refusal)

    assert (Finding.OK, cause) == (
        livekit.check_url("ws://livekit.example", refusal).finding,
        check.cause,
    )
    assert "eyJ" not in "".join(check.evidence)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        pytest.param(Silence("no"), "livekit-unreachable", id="silent"),
        pytest.param(answer(200, "<html>"), "not-livekit", id="a-page"),
        pytest.param(answer(404, {"code": "not_found"}), "not-livekit", id="no-such-method"),
        pytest.param(answer(503, {"code": "unavailable"}), "livekit-failing", id="failing"),
        pytest.param(answer(502, "<html>"), "not-livekit", id="proxy"),
    ],
)
def test_what_is_not_livekit_is_told_apart(said: Answer | Silence, cause: str) -> None:
    """Anything may listen on a port."""
    assert cause == livekit.check_url("ws://livekit.example", said).cause


@pytest.mark.parametrize(
    ("ahead", "finding"), [(0, Finding.OK), (20, Finding.OK), (45, Finding.WRONG), (-90, "wrong")]
)
def test_clocks_may_differ_by_half_of_what_livekit_allows(ahead: float, finding: str) -> None:
    """The other half is the token server's."""
    date = formatdate(time.time() + ahead, usegmt=True)

    assert finding == livekit.check_clock(answer(200, {}, date=date)).finding


def test_a_token_of_the_wrong_time_is_the_clock_s_fault() -> None:
    """Not the secret's."""
    refusal = answer(
        401,
        "invalid token: eyJ, error: token has invalid claims: token is not valid yet",
        date=formatdate(usegmt=True),
    )

    assert (Cause.CLOCK, Finding.SKIPPED) == (
        livekit.check_clock(refusal).cause,
        livekit.check_key(refusal).finding,
    )


def token(secret: str = API_SECRET, lifetime: float = 600, **claims: object) -> Answer:
    """An answer of /token."""
    now = time.time()
    agents = {"agents": [{"agentName": "voice-agent"}]}
    content = {"iss": API_KEY, "nbf": now, "exp": now + lifetime, "roomConfig": agents} | claims
    return answer(
        201,
        {
            "participant_token": jwt.encode(content, secret),
            "server_url": "ws://livekit.example:7880",
            "room_name": "r",
            "participant_identity": "i",
        },
    )


@pytest.mark.parametrize(
    ("issued", "has_room", "cause"),
    [
        pytest.param(token(), True, None, id="ours"),
        pytest.param(token(), None, None, id="livekit-silent"),
        pytest.param(token(), False, "other-livekit", id="no-room"),
        pytest.param(token(iss="other"), True, "other-credentials", id="key"),
        pytest.param(token("y" * 40), True, "other-credentials", id="secret"),
        pytest.param(token(roomConfig={}), True, "other-agent-name", id="no-agent"),
    ],
)
def test_a_token_shows_which_livekit_it_is_for(
    issued: Answer,
    has_room: bool | None,  # noqa: FBT001
    cause: str | None,
) -> None:
    """The server's settings cannot be seen; what it signs can."""
    read = issued_token.read(issued)

    assert read
    check = issued_token.check_same_livekit(read, settings(), has_room=has_room)
    assert cause == check.cause


@pytest.mark.parametrize(
    ("begins_in", "lasts", "cause"),
    [
        pytest.param(0, 600, None, id="good"),
        pytest.param(0, 60, "token-lifetime", id="short"),
        pytest.param(120, 600, "clock", id="clock"),
    ],
)
def test_a_token_has_to_last(begins_in: float, lasts: float, cause: str | None) -> None:
    """And to begin now, by LiveKit's clock."""
    begins_at = time.time() + begins_in
    read = issued_token.read(token(nbf=begins_at, exp=begins_at + lasts))

    assert read
    assert cause == issued_token.check_lifetime(read, time.time()).cause


@pytest.mark.parametrize(
    ("said", "has_login", "finding", "cause"),
    [
        pytest.param(Silence("no"), False, "wrong", "server-not-ready", id="silent"),
        pytest.param(answer(401, {"msg": "no"}), False, "unknown", "login-needed", id="login"),
        pytest.param(answer(401, {"msg": "no"}), True, "wrong", "server-refuses", id="refused"),
        pytest.param(
            answer(429, {"msg": "no"}, **{"retry-after": "7"}),
            True,
            "unknown",
            "rate-limited",
            id="limit",
        ),
        pytest.param(answer(403, {"msg": "no"}), True, "wrong", "server-refuses", id="forbidden"),
    ],
)
def test_a_server_without_token_says_why(
    said: Answer | Silence,
    has_login: bool,  # noqa: FBT001
    finding: str,
    cause: str,
) -> None:
    """Its own words are the evidence."""
    check = issued_token.check_issued(said, settings(), has_login=has_login)

    assert (finding, cause) == (check.finding, check.cause)


def test_a_page_of_the_server_s_own_needs_no_cors() -> None:
    """A browser sends no preflight there."""
    assert Finding.OK is server.check_cors(SERVER, SERVER.url, answer(405)).finding


def test_an_origin_with_a_path_is_the_mistake_itself() -> None:
    """CORS_ORIGINS could never hold it."""
    check = server.check_cors(SERVER, "https://app.example/", answer(200))

    assert "--origin https://app.example" in check.cure


def test_a_server_whose_keeper_is_stuck_is_not_taken_for_something_else() -> None:
    """Its own /healthz says so."""
    stuck = {"code": "unavailable", "msg": "The keeper is stuck: no turn of look for 30 s"}

    check = server.check_server(SERVER, answer(503, stuck))

    assert (Finding.WRONG, "server-stuck") == (check.finding, check.cause)

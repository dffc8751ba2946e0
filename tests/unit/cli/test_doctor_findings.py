"""The doctor's verdicts on LiveKit and the token server, from their answers."""

import json
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any

import jwt
import pytest
from livekit.protocol.models import ServerInfo

from tests.environ import settings
from tests.loopback import Loopback
from tests.processes import API_KEY, API_SECRET
from token_server.cli.asking import HttpResult
from token_server.cli.doctor import issued_token, livekit, server, server_version
from token_server.cli.doctor.checks import Finding
from token_server.cli.doctor.server import Server
from token_server.cli.doctor.steps import Again

SERVER = Server(url="https://tokens.example")


def answer(status: int, body: object = "", **headers: str) -> HttpResult:
    """An answer as of now; a body that is no text is JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return HttpResult(
        status=status, headers=headers, unverified_body=text.encode(), asked_at=time.time()
    )


# What livekit-server has answered to ListRooms, the token in it shortened.
JOSE = "invalid token: eyJ.x.y, error: go-jose/go-jose"
JWT = "invalid token: eyJ.x.y, error: token"
# pkg/service/auth.go of 1.13.6 and later, with the words of its protocol library (1.13.11's).
NEW = "invalid authorization token: token"
SECRET_REFUSALS = {
    "1.9.11": f"{JOSE}: error in cryptographic primitive",
    "1.13.5": f"{JWT} signature is invalid: signature is invalid",
    "1.13.6": f"{NEW} signature is invalid: signature is invalid",
}
CLOCK_REFUSALS = {
    "1.9.11-early": f"{JOSE}/jwt: validation failed, token not valid yet (nbf)",
    "1.9.11-late": f"{JOSE}/jwt: validation failed, token is expired (exp)",
    "1.13.5-early": f"{JWT} has invalid claims: token is not valid yet",
    "1.13.5-late": f"{JWT} has invalid claims: token is expired",
    "1.13.6-early": f"{NEW} has invalid claims: token is not valid yet",
    "1.13.6-late": f"{NEW} has invalid claims: token is expired",
}


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        pytest.param(answer(401, "invalid API key: devkey"), "key-unknown", id="key-1.13.5"),
        pytest.param(answer(401, "invalid API key"), "key-unknown", id="key-1.13.6"),
        *[
            pytest.param(answer(401, said), "secret-wrong", id=f"secret-{version}")
            for version, said in SECRET_REFUSALS.items()
        ],
        pytest.param(answer(401, "invalid authorization token"), "key-or-secret", id="mangled"),
        pytest.param(answer(401, {"code": "unauthenticated"}), "key-or-secret", id="twirp"),
        pytest.param(answer(403, {"code": "permission_denied"}), "key-or-secret", id="denied"),
    ],
)
def test_what_livekit_refuses_is_told_apart(refusal: HttpResult, cause: str) -> None:
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
        pytest.param(HttpResult(silence="no"), "livekit-unreachable", id="silent"),
        pytest.param(answer(200, "<html>"), "not-livekit", id="a-page"),
        pytest.param(answer(404, {"code": "not_found"}), "not-livekit", id="no-such-method"),
        pytest.param(answer(503, {"code": "unavailable"}), "livekit-failing", id="failing"),
        pytest.param(answer(502, "<html>"), "not-livekit", id="proxy"),
        pytest.param(answer(429, "<html>"), "livekit-quota", id="edge"),
        pytest.param(answer(429, {"code": "resource_exhausted"}), "livekit-quota", id="quota"),
    ],
)
def test_what_is_not_livekit_is_told_apart(said: HttpResult, cause: str) -> None:
    """Anything may listen on a port."""
    assert cause == livekit.check_url("ws://livekit.example", said).cause


@pytest.mark.parametrize(
    ("ahead", "finding"), [(0, Finding.OK), (20, Finding.OK), (45, Finding.WRONG), (-90, "wrong")]
)
def test_clocks_may_differ_by_half_of_what_livekit_allows(ahead: float, finding: str) -> None:
    """The other half is the token server's."""
    date = formatdate(time.time() + ahead, usegmt=True)

    assert finding == livekit.check_clock(answer(200, {}, date=date)).finding


@pytest.mark.parametrize("said", CLOCK_REFUSALS.values(), ids=CLOCK_REFUSALS.keys())
def test_a_token_of_the_wrong_time_is_the_clock_s_fault(said: str) -> None:
    """Not the secret's, and it is LiveKit that answers."""
    refusal = answer(401, said, date=formatdate(usegmt=True))

    assert (Finding.OK, "clock", Finding.SKIPPED) == (
        livekit.check_url("ws://livekit.example", refusal).finding,
        livekit.check_clock(refusal).cause,
        livekit.check_key(refusal).finding,
    )


def test_a_field_that_livekit_does_not_know_is_told_apart() -> None:
    """Neither the secret nor the address is wrong: the server (1.9.11) is older than the token."""
    said = 'invalid token: eyJ.x.y, error: proto: (line 1:29): unknown field "restartPolicy"'

    assert "field" == livekit.refusal_of(answer(401, said))


@pytest.mark.parametrize(
    ("info", "finding"),
    [
        pytest.param({"version": "1.13.5"}, "ok", id="tried"),
        pytest.param({"version": "1.9.11"}, "ok", id="the-oldest"),
        pytest.param({"version": "1.9.2"}, "wrong", id="older"),
        pytest.param({"version": "0.15.7"}, "wrong", id="much-older"),
        pytest.param({"version": "2.0.0-rc1"}, "ok", id="newer"),
        pytest.param({"version": "main"}, "ok", id="no-numbers"),
        pytest.param({"version": "1.0.0", "edition": 1}, "ok", id="cloud"),
        pytest.param({}, "skipped", id="not-told"),
    ],
)
def test_a_server_older_than_what_was_tried_is_named(info: dict[str, Any], finding: str) -> None:
    """Half of what goes wrong there has no other sign."""
    check = server_version.check_version(ServerInfo(**info))

    assert (finding, "server-too-old" if finding == "wrong" else None) == (
        check.finding,
        check.cause,
    )


def token(secret: str = API_SECRET, lifetime: float = 600, **claims: object) -> HttpResult:
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
    issued: HttpResult,
    has_room: bool | None,  # noqa: FBT001
    cause: str | None,
) -> None:
    """The server's settings cannot be seen; what it signs can."""
    read = issued_token.read(issued)

    assert read
    check = issued_token.check_same_livekit(read, settings(), has_room=has_room)
    assert cause == check.cause


def test_a_token_may_have_the_agent_of_a_rule() -> None:
    """AGENT_RULES covers the doctor's room too."""
    read = issued_token.read(token(roomConfig={"agents": [{"agentName": "concierge"}]}))

    assert read
    ruled = settings(AGENT_RULES="r*=concierge")
    assert issued_token.check_same_livekit(read, ruled, has_room=True).cause is None


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
        pytest.param(HttpResult(silence="no"), False, "wrong", "server-not-ready", id="silent"),
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
        pytest.param(
            answer(503, {"msg": "too many: LIVEKIT_REQUESTS_PER_MINUTE is to be less"}),
            True,
            "wrong",
            "livekit-quota",
            id="quota",
        ),
    ],
)
def test_a_server_without_token_says_why(
    said: HttpResult,
    has_login: bool,  # noqa: FBT001
    finding: str,
    cause: str,
) -> None:
    """Its own words are the evidence."""
    check = issued_token.check_issued(said, settings(), has_login=has_login)

    assert (finding, cause) == (check.finding, check.cause)


@pytest.mark.parametrize(
    ("said", "shows"),
    [
        ("Authorization must be 'Bearer' and a login token that is genuine", "YOUR-LOGIN-TOKEN"),
        ("Authorization must be 'Bearer' and one of the caller keys", "YOUR-KEY"),
    ],
)
def test_what_the_server_wants_to_be_shown_is_what_it_says(said: str, shows: str) -> None:
    """Without its environment the doctor takes it for one that is open to all."""
    check = issued_token.check_issued(answer(401, {"msg": said}), settings(), has_login=False)

    assert "login-needed" == check.cause
    assert (Again(login=shows),) == check.steps


class Particular(BaseHTTPRequestHandler):
    """A server that lets nobody choose what `refuses` names."""

    refuses: tuple[str, ...]
    asked: list[dict[str, str]]

    def do_POST(self) -> None:
        """Refuse the first such field, as tokens/joins.py and auth/callers.py do."""
        fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(fields)
        refused = next((name for name in self.refuses if name in fields), "")
        body = {"msg": f"{refused} must be left out"} if refused else json.loads(TOKEN)
        self.send_response(403 if refused else 201)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None: ...


TOKEN = token().unverified_body


@pytest.mark.parametrize(
    ("refuses", "is_read", "asked"),
    [
        (("participant_identity",), True, 2),
        (("participant_identity", "room_name"), True, 3),
        (("agentless",), True, 1),
    ],
)
def test_what_is_not_the_doctor_s_to_choose_is_left_to_the_server(
    refuses: tuple[str, ...], *, is_read: bool, asked: int
) -> None:
    """Logins and PARTICIPANT_IDENTITIES=fresh, examined without the server's environment."""
    Particular.refuses, Particular.asked = refuses, []
    fields = {"room_name": "doctor-1", "participant_identity": "doctor-1"}
    with Loopback(Particular) as running:
        got = issued_token.fetch(Server(url=f"http://127.0.0.1:{running.port}"), fields)

    assert (is_read, asked) == (issued_token.read(got) is not None, len(Particular.asked))


def test_a_page_of_the_server_s_own_needs_no_cors() -> None:
    """A browser sends no preflight there."""
    assert Finding.OK is server.check_cors(SERVER, SERVER.url, answer(405)).finding


READY = {"status": "ready", "redis": "unavailable"}


@pytest.mark.parametrize(
    ("said", "cause"),
    [({}, "redis"), ({"msg": "x: set REDIS_TLS_VERIFY=0"}, "redis-certificate")],
    ids=["silent", "certificate"],
)
def test_what_is_wrong_with_the_server_s_redis_is_told_apart(
    said: dict[str, str], cause: str
) -> None:
    """Starting it again mends no certificate."""
    check = server.check_ready(answer(200, READY | said))

    assert (Finding.WRONG, cause) == (check.finding, check.cause)
    assert all(words in check.evidence[0] for words in said.values())


def test_a_quota_that_the_server_has_used_up_is_a_cause_of_its_own() -> None:
    """It is ready, and its tokens may be refused: another setting mends it than for an outage."""
    check = server.check_ready(answer(200, {"status": "ready", "livekit": "limited"}))

    assert (Finding.WRONG, "livekit-quota") == (check.finding, check.cause)
    assert "LIVEKIT_REQUESTS_PER_MINUTE" in check.cure


def test_an_origin_with_a_path_is_the_mistake_itself() -> None:
    """CORS_ORIGINS could never hold it."""
    check = server.check_cors(SERVER, "https://app.example/", answer(200))

    assert (Again(origin="https://app.example"),) == check.steps


def test_a_server_whose_keeper_is_stuck_is_not_taken_for_something_else() -> None:
    """Its own /healthz says so."""
    stuck = {"code": "unavailable", "msg": "The keeper is stuck: no turn of look for 30 s"}

    check = server.check_server(SERVER, answer(503, stuck))

    assert (Finding.WRONG, "server-stuck") == (check.finding, check.cause)

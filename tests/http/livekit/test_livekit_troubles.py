"""What callers see of LiveKit's troubles, through the real adapter: a LiveKit of canned answers."""

import socket
import time
from contextlib import ExitStack
from email.utils import formatdate
from threading import Thread

import pytest
from flask.testing import FlaskClient
from livekit.protocol import models
from prometheus_client import CollectorRegistry

from tests.environ import settings
from tests.http.clients import error_of
from tests.processes import API_KEY, API_SECRET, free_port
from tests.recording_keeper import RecordingKeeper
from tests.twirp_server import CUT, Canned, TwirpServer, answer, error
from token_server.http_api.app import create_app
from token_server.livekit.connections import Timeouts
from token_server.livekit.measured_livekit import MeasuredLiveKit
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit
from token_server.telemetry.metrics import Metrics

ROOM = answer(models.Room(name="kitchen", sid="RM_1"))
LIMIT = 0.5  # seconds; 5 in production (twirp.py)


def client_of(url: str) -> FlaskClient:
    """Return a client of an application that has this LiveKit, and little patience with it."""
    twirp = Twirp(url, API_KEY, API_SECRET, Timeouts(connect=LIMIT, answer=LIMIT))
    return create_app(settings(), TwirpLiveKit(twirp), RecordingKeeper()).test_client()


TROUBLES = {
    "an HTML page": (Canned(200, b"<html>MaRkEr</html>", {"Content-Type": "text/html"}), 503),
    "rubbish": (Canned(200, b"\xffMaRkEr", {"Content-Type": "application/protobuf"}), 503),
    "a 502 of a proxy": (Canned(502, b"<html>MaRkEr</html>"), 503),
    "a 500": (error("internal"), 503),
    "a 401": (Canned(401, b"invalid token: MaRkEr", {"Content-Type": "text/plain"}), 500),
    "a 403": (error("permission_denied", 403), 500),
    "a refusal": (error("invalid_argument", 400), 500),
    "not a word": (CUT, 503),
}


@pytest.mark.parametrize(("canned", "status"), TROUBLES.values(), ids=TROUBLES.keys())
@pytest.mark.parametrize("path", ["/token", "/readyz"])
def test_livekits_trouble_is_not_the_callers(path: str, canned: Canned, status: int) -> None:
    """503: try again. 500: the operator's to mend. LiveKit's own words stay out."""
    with TwirpServer(canned) as livekit:
        found, code, msg = error_of(client_of(livekit.url).get(path))

    assert (status, "unavailable" if status == 503 else "internal") == (found, code)
    assert "MaRkEr" not in msg


def client_with_patience(url: str, slept: list[float]) -> FlaskClient:
    """Return a client of an application that asks again, and sleeps by writing it down."""
    twirp = TwirpLiveKit(Twirp(url, API_KEY, API_SECRET))
    livekit = MeasuredLiveKit(twirp, Metrics(CollectorRegistry()), slept.append)
    return create_app(settings(), livekit, RecordingKeeper()).test_client()


def test_a_token_comes_a_moment_later_when_livekit_has_had_too_many_requests() -> None:
    """A second or two is less than a frontend that has to ask again."""
    slept: list[float] = []
    busy = error("resource_exhausted", 429)
    with TwirpServer(busy, busy, ROOM) as livekit:
        found = client_with_patience(livekit.url, slept).get("/token")

    assert (200, [0.3, 0.6]) == (found.status_code, slept)


@pytest.mark.parametrize(
    ("headers", "seconds", "pauses"),
    [
        pytest.param({}, "5", [0.3, 0.6, 1.0], id="without"),
        pytest.param({"Retry-After": "17"}, "17", [], id="with Retry-After"),
    ],
)
def test_who_gets_no_token_for_livekits_quota_is_told_when_to_ask_again(
    headers: dict[str, str], seconds: str, pauses: list[float]
) -> None:
    """Nobody waits for longer than two seconds; LiveKit's own words stay out."""
    slept: list[float] = []
    with TwirpServer(Canned(429, b"MaRkEr", headers)) as livekit:
        found = client_with_patience(livekit.url, slept).get("/token")

    status, code, msg = error_of(found)
    assert (503, "unavailable", seconds) == (status, code, found.headers["Retry-After"])
    assert "LIVEKIT_REQUESTS_PER_MINUTE" in msg
    assert "MaRkEr" not in msg
    assert pauses == slept


@pytest.mark.parametrize("path", ["/token", "/readyz"])
def test_a_livekit_that_is_gone_is_a_503_at_once(path: str) -> None:
    """Nobody has to wait for a refused connection."""
    client = client_of(f"ws://127.0.0.1:{free_port()}")
    started = time.monotonic()

    assert (503, "unavailable") == error_of(client.get(path))[:2]
    assert time.monotonic() - started < LIMIT


def drip(listener: socket.socket) -> None:
    """Accept one connection, and send a byte of an endless answer now and then."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(0.05)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while True:
            try:
                if not connection.recv(9999):
                    return
            except TimeoutError:
                connection.sendall(b"x")
            except ConnectionError:
                return


@pytest.mark.parametrize("is_dripping", [True, False], ids=["dripping", "silent"])
def test_a_livekit_that_is_slow_is_a_503_in_bounded_time(*, is_dripping: bool) -> None:
    """A caller waits as long as our patience says, and not as long as LiveKit likes."""
    with ExitStack() as ends:
        listener = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
        if is_dripping:
            thread = Thread(target=drip, args=(listener,))
            thread.start()
            ends.callback(thread.join)
        client = client_of(f"ws://127.0.0.1:{listener.getsockname()[1]}")
        started = time.monotonic()

        found = error_of(client.post("/token"))

        assert (503, "unavailable") == found[:2]
        assert LIMIT <= time.monotonic() - started < 3 * LIMIT


def test_connections_recover_by_themselves() -> None:
    """Nothing has to be restarted after LiveKit was."""
    with TwirpServer(ROOM, error("internal"), CUT, CUT, ROOM) as livekit:
        client = client_of(livekit.url)

        assert [201, 503, 503, 201] == [client.post("/token").status_code for _ in range(4)]


@pytest.mark.parametrize("seconds", [-3600, -60, 0, 60, 3600])
def test_new_rooms_are_told_from_live_ones_by_livekits_clock(
    seconds: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Ours may be off by as much; a live room's agents are ordered by the keeper alone."""
    caplog.set_level("INFO")
    now = time.time() + seconds
    date = {"Date": formatdate(now, usegmt=True)}
    rooms = [
        answer(models.Room(name="kitchen", sid="RM_1", creation_time_ms=int(made * 1000)))
        for made in (now, now + 2, now - 30)  # the second while it is asked for, or later
    ]
    answers = [Canned(one.status, one.body, one.headers | date) for one in rooms]
    with TwirpServer(*answers) as livekit:
        client = client_of(livekit.url)
        for _ in answers:
            client.post("/token")

    # With the first answer LiveKit's clock is not yet known.
    assert ["created", "already live"] == [vars(one)["outcome"] for one in caplog.records][1:]

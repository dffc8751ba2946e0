"""What LiveKit's troubles become: each one of ours, none escapes (errors.py)."""

import socket

import pytest
from livekit.api import ServerErrorCode
from livekit.protocol import models
from livekit.protocol.room import ListRoomsRequest, ListRoomsResponse

from tests.processes import API_KEY, API_SECRET, free_port, wait_until
from tests.twirp_server import CUT, Canned, TwirpServer, answer, error
from token_server.errors import (
    LiveKitBusyError,
    LiveKitRefusedKeyError,
    LiveKitRefusedRequestError,
    LiveKitUnavailableError,
    TokenServerError,
)
from token_server.livekit.connections import Timeouts
from token_server.livekit.pace import Pace, Purpose
from token_server.livekit.twirp import Method, NotFoundError, Twirp

LIST = Method("RoomService/ListRooms", ListRoomsResponse)
ONCE = Method("AgentDispatchService/CreateDispatch", ListRoomsResponse, is_repeatable=False)
KITCHEN = ListRoomsResponse(rooms=[models.Room(name="kitchen")])

BECOMES: dict[str, type[Exception]] = {
    ServerErrorCode.NOT_FOUND: NotFoundError,
    ServerErrorCode.UNAUTHENTICATED: LiveKitRefusedKeyError,
    ServerErrorCode.PERMISSION_DENIED: LiveKitRefusedKeyError,
    ServerErrorCode.ALREADY_EXISTS: LiveKitRefusedRequestError,
    ServerErrorCode.BAD_ROUTE: LiveKitRefusedRequestError,
    ServerErrorCode.FAILED_PRECONDITION: LiveKitRefusedRequestError,
    ServerErrorCode.INVALID_ARGUMENT: LiveKitRefusedRequestError,
    ServerErrorCode.MALFORMED: LiveKitRefusedRequestError,
    ServerErrorCode.OUT_OF_RANGE: LiveKitRefusedRequestError,
    ServerErrorCode.UNIMPLEMENTED: LiveKitRefusedRequestError,
    ServerErrorCode.ABORTED: LiveKitUnavailableError,
    ServerErrorCode.CANCELED: LiveKitUnavailableError,
    ServerErrorCode.DATA_LOSS: LiveKitUnavailableError,
    ServerErrorCode.DEADLINE_EXCEEDED: LiveKitUnavailableError,
    ServerErrorCode.INTERNAL: LiveKitUnavailableError,
    ServerErrorCode.RESOURCE_EXHAUSTED: LiveKitBusyError,
    ServerErrorCode.UNAVAILABLE: LiveKitUnavailableError,
    ServerErrorCode.UNKNOWN: LiveKitUnavailableError,
}
ALL_CODES = [code for name, code in vars(ServerErrorCode).items() if name.isupper()]


def failure(url: str, method: Method[ListRoomsResponse] = LIST) -> Exception:
    """Call and return what was raised."""
    with pytest.raises(TokenServerError) as caught:
        Twirp(url, API_KEY, API_SECRET).call(method, ListRoomsRequest(), {})
    return caught.value


@pytest.mark.parametrize("code", ALL_CODES)
def test_every_code_of_livekit_becomes_one_of_our_errors(code: str) -> None:
    """A code that livekit-api adds fails here until somebody has decided what it means."""
    with TwirpServer(error(code)) as server:
        raised = failure(server.url)

    assert (BECOMES[code], False) == (type(raised), "MaRkEr" in str(raised))


UNLIKE_LIVEKIT = {
    "a code yet unknown": error("levitating"),
    "a code that is a number": error(17),
    "a code that is null": error(None),
    "a code that is a list": error(["not_found"]),
    "a code that is an object": error({}),
    "a JSON list": Canned(500, b"[]"),
    "JSON without code": Canned(500, b"{}"),
    "JSON too deep": Canned(500, b"[" * 100_000),
    "an HTML page": Canned(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
    "nothing": Canned(500),
    "no UTF-8": Canned(500, b"\xff"),
    "another protocol": Canned(101, b"", {"Upgrade": "websocket", "Connection": "Upgrade"}),
    "a redirect": Canned(301, b"", {"Location": "http://elsewhere.example/"}),
    "another success": Canned(204),
    "a 200 that is HTML": Canned(200, b"<html>Welcome</html>"),
    "a 200 that is rubbish": Canned(200, b"\xff", {"Content-Type": "application/protobuf"}),
    "a 200 that is empty": Canned(200, b"", {"Content-Type": "text/plain"}),
    "a body in no known coding": Canned(200, b"this is no gzip", {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("canned", UNLIKE_LIVEKIT.values(), ids=UNLIKE_LIVEKIT.keys())
def test_what_is_unlike_livekit_is_unavailable(canned: Canned) -> None:
    """A proxy in between, or LIVEKIT_URL of something else."""
    with TwirpServer(canned) as server:
        raised = failure(server.url)

    assert (LiveKitUnavailableError, False) == (type(raised), "html" in str(raised))


@pytest.mark.parametrize("text", [b"invalid authorization token", b"invalid token: ..., error: x"])
def test_a_401_in_plain_words_is_a_refused_key(text: bytes) -> None:
    """What livekit-server 1.13.5 answers to a wrong secret (pkg/service/auth.go): no JSON."""
    with TwirpServer(Canned(401, text, {"Content-Type": "text/plain"})) as server:
        raised = failure(server.url)

    assert LiveKitRefusedKeyError is type(raised)


def test_a_refused_connection_is_unavailable() -> None:
    """LiveKit is restarted."""
    assert LiveKitUnavailableError is type(failure(f"ws://127.0.0.1:{free_port()}"))


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", f"{'a' * 64}.example"])
def test_a_name_that_leads_nowhere_is_unavailable(host: str) -> None:
    """DNS fails at any time."""
    assert LiveKitUnavailableError is type(failure(f"ws://{host}"))


def test_a_server_that_never_answers_is_unavailable_in_bounded_time() -> None:
    """The caller of /token does not wait for ever."""
    timeouts = Timeouts(connect=0.2, answer=0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        twirp = Twirp(url, API_KEY, API_SECRET, timeouts)

        with pytest.raises(LiveKitUnavailableError):
            twirp.call(LIST, ListRoomsRequest(), {})


def test_what_was_cut_off_is_called_once_more() -> None:
    """LiveKit closes kept-alive connections at its own pace, and is restarted."""
    with TwirpServer(answer(KITCHEN), CUT, answer(KITCHEN)) as server:
        twirp = Twirp(server.url, API_KEY, API_SECRET)
        answers = [twirp.call(LIST, ListRoomsRequest(), {}) for _ in range(2)]

    assert ([KITCHEN, KITCHEN], 3) == (answers, len(server.asked))


def test_what_is_cut_off_again_and_again_is_unavailable() -> None:
    """Two tries, not a storm."""
    with TwirpServer(CUT) as server:
        raised = failure(server.url)

    assert (LiveKitUnavailableError, 2) == (type(raised), len(server.asked))


def test_create_dispatch_is_never_repeated() -> None:
    """It may have been heard, and a second one is a second agent (livekit-behaviour 24)."""
    with TwirpServer(CUT) as server:
        raised = failure(server.url, ONCE)

    assert (LiveKitUnavailableError, 1) == (type(raised), len(server.asked))


def test_an_idle_connection_that_was_closed_is_no_trouble() -> None:
    """Not even for CreateDispatch: it is noticed before anything is sent."""
    with TwirpServer(answer(KITCHEN)) as server:
        twirp = Twirp(server.url, API_KEY, API_SECRET)
        twirp.call(LIST, ListRoomsRequest(), {})
        server.connections[0].shutdown(socket.SHUT_RDWR)
        wait_until(lambda: server.connections[0].fileno() == -1, within=5, what="it is closed")

        assert KITCHEN == twirp.call(ONCE, ListRoomsRequest(), {})


class CountingPace(Pace):
    """Counts what is sent and what is refused, and holds nobody back."""

    def __init__(self) -> None:
        self.sent = 0
        self.refusals: list[float] = []

    def spent(self, requests: int = 1, purpose: Purpose = Purpose.WAITING) -> None:
        """Count."""
        del purpose
        self.sent += requests

    def refused(self, retry_after: float = 0.0) -> None:
        """Note it."""
        self.refusals.append(retry_after)


TOO_MANY = {
    "twirp's": (error("resource_exhausted", 429), 0.0),
    "an edge's": (Canned(429, b"Too Many Requests", {"Retry-After": "7"}), 7.0),
    "for a day": (Canned(429, b"", {"Retry-After": "86400"}), 60.0),
    "with a date": (Canned(429, b"", {"Retry-After": "Sat, 28 Nov 2026 19:00:00 GMT"}), 0.0),
}


@pytest.mark.parametrize(("canned", "seconds"), TOO_MANY.values(), ids=TOO_MANY.keys())
def test_too_many_requests_are_no_outage(canned: Canned, seconds: float) -> None:
    """Cloud's edge, or a proxy, may say it in any words; the pace hears of it."""
    pace = CountingPace()
    with TwirpServer(canned) as server, pytest.raises(LiveKitBusyError) as raised:
        Twirp(server.url, API_KEY, API_SECRET, pace=pace).call(LIST, ListRoomsRequest(), {})

    assert (seconds, 1, [seconds]) == (raised.value.retry_after, pace.sent, pace.refusals)


def test_a_repetition_is_one_request_more() -> None:
    """It may have reached LiveKit, and is counted there."""
    pace = CountingPace()
    with TwirpServer(answer(KITCHEN), CUT, answer(KITCHEN)) as server:
        twirp = Twirp(server.url, API_KEY, API_SECRET, pace=pace)
        for _ in range(2):
            twirp.call(LIST, ListRoomsRequest(), {})

    assert (len(server.asked), []) == (pace.sent, pace.refusals)


def test_a_5xx_is_not_repeated() -> None:
    """The keeper and the caller try again at their own pace."""
    with TwirpServer(error("unavailable", 503)) as server:
        failure(server.url)

    assert 1 == len(server.asked)

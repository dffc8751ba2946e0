"""Which requests are answered before Flask."""

from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.test import Client

from tests.processes import API_KEY, API_SECRET
from tests.recording_keeper import RecordingKeeper
from tests.webhook_signing import joined, sign
from token_server.webhook_endpoint import WebhookEndpoint
from token_server.webhooks import WEBHOOK_BODY_LIMIT, Webhooks


class Behind:
    """The application behind; remembers the bodies that reach it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Read the body as Flask does, and answer 418."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        self.bodies.append(environ["wsgi.input"].read(length))
        start_response("418 I'M A TEAPOT", [])
        return []


@pytest.fixture
def behind() -> Behind:
    """What is behind the endpoint."""
    return Behind()


@pytest.fixture
def keeper() -> RecordingKeeper:
    """Who is told."""
    return RecordingKeeper()


@pytest.fixture
def client(behind: Behind, keeper: RecordingKeeper) -> Client:
    """A client in front of both."""
    return Client(WebhookEndpoint(behind, Webhooks({API_KEY: API_SECRET}, keeper)))


def test_a_good_webhook_never_reaches_flask(
    client: Client, behind: Behind, keeper: RecordingKeeper
) -> None:
    """That is all it is for; LiveKit needs nothing but the status, and an empty body."""
    answer = client.post("/webhook", data=joined(), headers={"Authorization": sign(joined())})

    assert (200, b"", "no-store") == (answer.status_code, answer.data, str(answer.cache_control))
    assert ([], (1, ["kitchen"])) == (behind.bodies, keeper.heard)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        pytest.param("POST /webhook", b"", id="no body and no length"),
        pytest.param("GET /webhook", b"", id="another method"),
        pytest.param("POST /token", b"{}", id="another path"),
        pytest.param("POST /webhook/", b"{}", id="nearly the path"),
    ],
)
def test_everything_else_reaches_flask_whole(
    client: Client, behind: Behind, keeper: RecordingKeeper, route: str, body: bytes
) -> None:
    """There is one place that answers errors."""
    method, path = route.split()

    answer = client.open(path, method=method, data=body, headers={"Authorization": sign(b"other")})

    assert (418, [body], 0) == (answer.status_code, behind.bodies, keeper.webhooks)


@pytest.mark.parametrize("length", [str(WEBHOOK_BODY_LIMIT + 1), "-1", "1e3", "", "¹"])
def test_a_length_that_cannot_be_believed_is_left_to_flask(
    keeper: RecordingKeeper, length: str
) -> None:
    """Nothing is read into memory on the word of a stranger."""
    environ = {"CONTENT_LENGTH": length, "HTTP_AUTHORIZATION": sign(joined())}
    seen = []

    def behind(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        seen.append(environ["wsgi.input"].tell())
        start_response("413 TOO LARGE", [])
        return []

    endpoint = WebhookEndpoint(behind, Webhooks({API_KEY: API_SECRET}, keeper))
    Client(endpoint).post("/webhook", data=joined(), environ_overrides=environ)

    assert ([0], 0) == (seen, keeper.webhooks)

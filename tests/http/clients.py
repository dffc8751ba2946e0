"""Flask's test client in front of the application, and how its answers are read."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.environ import settings
from tests.fakes import FakeLiveKit
from tests.recording_keeper import RecordingKeeper
from token_server.errors import TokenServerError
from token_server.http_api.app import create_app


class FailingLiveKit(FakeLiveKit):
    """A LiveKit of which every call ends in this error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def _call(self, name: str) -> None:
        super()._call(name)
        raise self._error


def client_for(
    rooms: FakeLiveKit | None = None, keeper: RecordingKeeper | None = None, **changes: str
) -> FlaskClient:
    """Return a client of an application with these settings changed."""
    app = create_app(settings(**changes), rooms or FakeLiveKit(), keeper or RecordingKeeper())
    return app.test_client()


def failing_client(error: TokenServerError | RuntimeError) -> FlaskClient:
    """Return a client of an application whose LiveKit answers each call with this error."""
    return client_for(FailingLiveKit(error))


def error_of(response: TestResponse) -> tuple[int, str, str]:
    """Return an error's status, code and message; its body has to be our JSON and no more."""
    content = response.get_json()
    assert ("application/json", {"code", "msg"}) == (response.mimetype, set(content))
    return response.status_code, content["code"], content["msg"]

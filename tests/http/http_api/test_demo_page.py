"""The test page at /, where DEMO=1. `make setup` has built it."""

import pytest
from flask.testing import FlaskClient

from tests.http.clients import client_for, error_of


@pytest.fixture
def demo() -> FlaskClient:
    """A client of an application with the page."""
    return client_for(DEMO="1")


def test_the_page_is_served_with_its_headers(demo: FlaskClient) -> None:
    """It holds a token: nothing but our own files may run in it."""
    with demo.get("/") as answer:
        assert (200, "text/html", True, "nosniff", "no-referrer") == (
            answer.status_code,
            answer.mimetype,
            answer.headers["Content-Security-Policy"].startswith("default-src 'self';"),
            answer.headers["X-Content-Type-Options"],
            answer.headers["Referrer-Policy"],
        )


def test_the_page_is_asked_for_anew(demo: FlaskClient) -> None:
    """It names the assets of its own build."""
    with demo.get("/") as answer:
        assert ("no-cache, max-age=0") == answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/nothing.js",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/..%2f..%2fapp.py",
        "/assets/x%2f..%2f..%2f..%2fapp.py",
        "/assets/..\\..\\app.py",
        "/assets/%00",
        "/page.py",
        "/index.html",
    ],
)
def test_nothing_but_the_page_is_served(demo: FlaskClient, path: str) -> None:
    """The package's source lies beside it."""
    assert (404, "not_found", "404 Not Found") == error_of(demo.get(path))


def test_without_demo_there_is_no_page(client: FlaskClient) -> None:
    """An API server has no page that mints tokens for passers-by."""
    assert (404, "not_found", "404 Not Found") == error_of(client.get("/"))


def test_the_page_does_not_loosen_the_api(demo: FlaskClient) -> None:
    """Its headers are its own."""
    answer = demo.post("/token")

    assert (201, "no-store", None) == (
        answer.status_code,
        answer.headers["Cache-Control"],
        answer.headers.get("Content-Security-Policy"),
    )

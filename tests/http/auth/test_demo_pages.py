"""DEMO=1: what the pages of other sites may ask of a server that trusts its own machine."""

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeLiveKit
from tests.http.clients import client_for, error_of

# What a browser sends for a server on this machine.
OWN = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
CROSS = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
VITE = "http://localhost:5173"
FROM_VITE = {"Origin": VITE, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}
PATHS = [
    "/",
    "/api",
    "/token",
    "/rooms",
    "/rooms/kitchen",
    "/metrics",
    "/openapi.json",
    "/assets/x",
]


@pytest.fixture
def demo(rooms: FakeLiveKit) -> FlaskClient:
    """A client of what `make dev` starts."""
    return client_for(rooms, DEMO="1", HOST="127.0.0.1")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil", "[::", ""],
)
def test_a_strangers_name_leads_nowhere(
    demo: FlaskClient, rooms: FakeLiveKit, path: str, host: str
) -> None:
    """DNS rebinding: to its browser the stranger's page is the server's own."""
    refused = demo.get(path, headers={"Host": host, **OWN})

    assert (403, "permission_denied") == error_of(refused)[:2]
    assert [] == rooms.calls


@pytest.mark.parametrize(
    "host",
    ["localhost:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "a.localhost", "192.168.1.5"],
)
def test_this_machine_goes_by_many_names(demo: FlaskClient, host: str) -> None:
    """No name of a stranger's can be an address."""
    assert 200 == demo.get("/token", headers={"Host": host, **OWN}).status_code


@pytest.mark.parametrize(
    ("url", "host"), [("https://Demo.example/under", ""), ("", "demo.example")], ids=["url", "host"]
)
def test_the_operator_gives_it_a_name(url: str, host: str) -> None:
    """A demo on the internet."""
    client = client_for(DEMO="1", TOKEN_SERVER_URL=url, HOST=host)

    assert 200 == client.get("/token", headers={"Host": "demo.example", **OWN}).status_code


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/token", "/rooms", "/metrics"])
def test_a_picture_on_another_site_asks_for_nothing(
    demo: FlaskClient, rooms: FakeLiveKit, path: str, site: str
) -> None:
    """<img src="http://localhost:8080/token">: a room for each visitor."""
    refused = demo.get(path, headers=CROSS | {"Sec-Fetch-Site": site})

    assert (403, "permission_denied") == error_of(refused)[:2]
    assert [] == rooms.calls


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", **CROSS},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://localhost:5173"},
        {"Origin": "http://localhost:5173", **FROM_VITE},
    ],
    ids=[
        "other site",
        "old browser",
        "sandbox",
        "rubbish",
        "old browser, same machine",
        "same machine",
    ],
)
@pytest.mark.parametrize("kind", ["text/plain", "application/json", ""])
@pytest.mark.parametrize("path", ["/token", "/rooms/kitchen/release"])
def test_another_sites_page_posts_nothing(
    demo: FlaskClient, rooms: FakeLiveKit, path: str, headers: dict[str, str], kind: str
) -> None:
    """A form, or fetch without CORS: the answer is hidden from it, the room is made, or robbed."""
    refused = demo.post(path, headers=headers, content_type=kind or None)

    assert (403, "permission_denied") == error_of(refused)[:2]
    assert [] == rooms.calls


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_leads_to_the_page_and_to_nothing_that_acts(demo: FlaskClient, method: str) -> None:
    """Where somebody has sent a link to `make dev`'s page."""
    statuses = []
    for path in ("/", "/api", "/token"):
        with demo.open(path, method=method, headers=LINK) as answer:
            statuses.append(answer.status_code)

    assert ([200, 200, 403] if method == "GET" else [403] * 3) == statuses


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, {"Origin": "http://localhost"}],
    ids=["curl", "typed", "own page, old browser"],
)
def test_who_is_no_foreign_page_gets_a_token(demo: FlaskClient, headers: dict[str, str]) -> None:
    """curl, a backend, the page itself."""
    assert 200 == demo.get("/token", headers={"Host": "localhost", **headers}).status_code


@pytest.mark.parametrize(
    ("origin", "status", "allowed"),
    [
        pytest.param("https://pr-7.example.app", 201, "https://pr-7.example.app", id="a preview"),
        pytest.param("https://a.pr-7.example.app", 403, None, id="a label too many"),
        pytest.param("https://example.app", 403, None, id="a label too few"),
        pytest.param("https://pr-7.example.app:8443", 403, None, id="another port"),
    ],
)
def test_a_pattern_lets_pages_of_one_label_in(
    origin: str, status: int, allowed: str | None
) -> None:
    """Each preview of a branch has a host of its own; a cache keeps their answers apart."""
    client = client_for(DEMO="1", CORS_ORIGINS="https://*.example.app")
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}

    answer = client.post("/token", json={}, headers=headers)

    assert (status, allowed) == (
        answer.status_code,
        answer.headers.get("Access-Control-Allow-Origin"),
    )
    assert allowed is None or "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origins", [VITE, "*"])
def test_a_frontends_dev_server_is_let_in_where_it_is_named(origins: str) -> None:
    """Vite's page on another port of this machine."""
    client = client_for(DEMO="1", CORS_ORIGINS=origins)

    preflight = client.options(
        "/token", headers=FROM_VITE | {"Access-Control-Request-Method": "POST"}
    )
    answer = client.post("/token", json={}, headers=FROM_VITE)

    assert (200, 201) == (preflight.status_code, answer.status_code)
    assert {preflight.headers["Access-Control-Allow-Origin"]} <= {VITE, "*"}


@pytest.mark.parametrize(
    ("path", "status"), [("/webhook", 401), ("/healthz", 200), ("/readyz", 200)]
)
def test_livekit_and_health_checks_may_use_any_name(
    demo: FlaskClient, path: str, status: int
) -> None:
    """A LiveKit in a container calls this machine host.docker.internal; a tunnel has its own."""
    method = "POST" if path == "/webhook" else "GET"

    answer = demo.open(path, method=method, headers={"Host": "host.docker.internal:8080"})

    assert status == answer.status_code


def test_without_demo_any_name_is_good(client: FlaskClient) -> None:
    """Its operator gives it a name in DNS, and TOKEN_AUTH asks who it is."""
    assert 201 == client.post("/token", headers={"Host": "api.example", **CROSS}).status_code

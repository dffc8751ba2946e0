"""The pages of docs/frontends.md, unchanged but for the token server's address."""

import json
import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Response, expect

from shared_settings.release_marks import release_attribute, release_mark
from tests.browser.docs_frontend import (
    PACKAGES,
    PAGE,
    SETTINGS,
    Frontend,
    Sites,
    add_library,
    build_with_vite,
    write_snippet,
)
from tests.browser.running_system import RunningSystem
from tests.issuer import Issuer
from tests.join_tokens import claims_of
from tests.processes import (
    AGENT_NAME,
    API_SECRET,
    free_port,
    start_from_procfile,
    wait_until,
)
from tests.snippets import snippet, snippets

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
CURL, NPM_INSTALL = snippets(PAGE, "sh")
CALL_HTML, CALL_JSX = (snippet(PAGE, name) for name in ("call.html", "Call.jsx"))
ENDPOINT_JS, TOKENS_JS = snippets(PAGE, "js")
RUNS = [CURL, NPM_INSTALL, CALL_HTML, CALL_JSX, ENDPOINT_JS, TOKENS_JS, SETTINGS]
_INDEX = '<div id="root"></div><script type="module" src="./main.jsx"></script>'
_MAIN = """
import { createRoot } from "react-dom/client";
import { Call } from "./Call.jsx";

createRoot(document.getElementById("root")).render(<Call roomName="react" />);
"""
_LOGIN = """
<script type="importmap">{"imports": {"livekit-client": "./livekit-client.esm.mjs"}}</script>
<script type="module">
  import { tokenSourceOf } from "./endpoint.js";
  import { tokenSourceFor } from "./tokens.js";
  Object.assign(window, { tokenSourceOf, tokenSourceFor });
</script>
"""
_AGENT_STATES = {"listening", "speaking"}
_IS_THERE = re.compile("The agent is (listening|speaking).")


@pytest.fixture
def frontend(browser: Browser) -> Iterator[Frontend]:
    """Open a tab that is closed after the test."""
    frontend = Frontend(browser)
    yield frontend
    frontend.close()


def test_a_plain_page_joins_hears_the_agent_and_hears_it_after_a_reload(
    system: RunningSystem, sites: Sites, frontend: Frontend
) -> None:
    """From another origin, as frontends are: CORS_ORIGINS is the page's own."""
    folder = sites.new("plain")
    write_snippet(CALL_HTML, folder / "call.html", system.page_url.rstrip("/"))
    add_library(folder)
    frontend.page.goto(f"{sites.origin}/plain/call.html")

    for is_reload in (False, True):
        if is_reload:
            frontend.page.reload()
        frontend.press("Join")
        frontend.wait_for_sound()
        expect(frontend.page.get_by_role("status")).to_have_text(_IS_THERE)

    room_name = frontend.evaluate("sessionStorage.roomName")
    assert 1 == len(system.agents_in(room_name))

    status = frontend.page.get_by_role("status")
    frontend.press("Leave")
    expect(status).to_have_text("You are not in the room.")
    # What an agent does that ends the call: the page said "on its way" for ever.
    frontend.press("Join")
    expect(status).to_have_text(_IS_THERE)
    system.delete_room(room_name)
    expect(status).to_have_text("The call has ended.")
    expect(frontend.page.get_by_role("button", name="Join")).to_be_visible()
    # And what it does that releases the caller: nobody is sent any more.
    frontend.press("Join")
    expect(status).to_have_text(_IS_THERE)
    _release(system, room_name)
    expect(status).to_have_text("The agent has left.")


def _release(system: RunningSystem, room_name: str) -> None:
    """Release the human, as an agent does that is done, and let it go."""
    (agent,) = system.agents_in(room_name)
    people = system.participants(room_name)
    (human,) = (one["identity"] for one in people if one.get("kind") != "AGENT")
    mark = release_mark(API_SECRET, room_name, human, AGENT_NAME)
    system.set_attributes(room_name, human, {release_attribute(AGENT_NAME): mark})
    system.remove(room_name, agent["identity"])


def test_a_page_with_use_session_joins_and_shows_the_agent(
    system: RunningSystem, sites: Sites, frontend: Frontend
) -> None:
    """Components-js, and what it makes of an agent that is lost in the call and replaced."""
    folder = sites.new("react")
    write_snippet(CALL_JSX, folder / "Call.jsx", system.page_url.rstrip("/"))
    (folder / "index.html").write_text(_INDEX)
    (folder / "main.jsx").write_text(_MAIN)
    build_with_vite(folder)
    frontend.page.goto(f"{sites.origin}/react/dist/index.html")

    frontend.press("Join")
    frontend.wait_for_sound()
    wait_until(lambda: frontend.status() in _AGENT_STATES, within=10, what="its state")
    frontend.record_status()
    (agent,) = system.agents_in("react")
    system.remove("react", agent["identity"])

    frontend.wait_for_words("Agent left the room unexpectedly.")
    wait_until(lambda: frontend.status() in _AGENT_STATES, within=15, what="another agent")
    frontend.wait_for_sound()
    frontend.press("Leave")
    expect(frontend.page.get_by_role("button", name="Join")).to_be_visible()


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """Where people log in."""
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def login_server(
    system: RunningSystem,
    sites: Sites,
    issuer: Issuer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Start a token server that wants a login and has a limit; return its address."""
    folder = tmp_path_factory.mktemp("login-server")
    port = free_port()
    environ = system.livekit.environ() | {
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "TOKEN_AUTH": "jwt",
        "TOKEN_JWT_ISSUER": issuer.url,
        "TOKEN_JWT_AUDIENCE": "my-app",
        "RATE_LIMIT": "1/second",
        **sites.settings,
    }
    with start_from_procfile("web", environ, folder / "web.log") as web:
        web.wait_for_output("Listening at")
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def login_site(login_server: str, sites: Sites) -> str:
    """Make a page with both token sources in it; return its address."""
    folder = sites.new("login")
    write_snippet(ENDPOINT_JS, folder / "endpoint.js", login_server)
    write_snippet(TOKENS_JS, folder / "tokens.js", login_server)
    add_library(folder)
    (folder / "index.html").write_text(_LOGIN)
    return f"{sites.origin}/login/index.html"


@pytest.fixture
def login_page(login_site: str, frontend: Frontend) -> Frontend:
    """Open it."""
    frontend.page.goto(login_site)
    frontend.page.wait_for_function("window.tokenSourceFor")
    return frontend


def test_a_token_source_with_a_login_joins_as_its_holder(
    login_page: Frontend, issuer: Issuer
) -> None:
    """Whoever is logged in is who is in the room."""
    script = "(login) => tokenSourceOf(login).fetch({ roomName: 'kitchen' })"

    fetched = login_page.evaluate(script, issuer.sign())

    assert "alice" == claims_of(fetched["participantToken"]).identity


def test_a_token_source_waits_as_long_as_it_is_told(login_page: Frontend, issuer: Issuer) -> None:
    """Retry-After of another origin is read, and the next try succeeds."""
    statuses: list[int] = []

    def note(answer: Response) -> None:
        if answer.request.method == "POST":
            statuses.append(answer.status)

    login_page.page.on("response", note)
    script = """async (login) => {
        const sources = [1, 2].map(() => tokenSourceFor(async () => login));
        return Promise.all(sources.map((one) => one.fetch({ roomName: "kitchen" })));
    }"""

    fetched = login_page.evaluate(script, issuer.sign(sub="bob"))

    assert ["bob", "bob"] == [claims_of(one["participantToken"]).identity for one in fetched]
    assert 2 == statuses.count(201)
    # The other one's; and both at first, where a test before them has used the limit up.
    assert statuses.count(429) in {1, 3}


def test_a_token_source_says_why_a_login_is_refused(login_page: Frontend) -> None:
    """At once: waiting would not help."""
    script = "() => tokenSourceFor(() => 'nonsense').fetch({}).catch((error) => error.message)"

    assert login_page.evaluate(script).startswith("unauthenticated: ")


def test_the_curl_of_the_page_gets_a_token(login_server: str, issuer: Issuer) -> None:
    """With a login token in LOGIN_TOKEN."""
    command = CURL.text.replace("http://127.0.0.1:8080", login_server)
    environ = {**os.environ, "LOGIN_TOKEN": issuer.sign(sub="carol")}

    def ask() -> dict[str, str] | None:
        done = subprocess.run(
            ["/bin/sh", "-c", command], env=environ, capture_output=True, check=True
        )
        answer: dict[str, str] = json.loads(done.stdout)
        return answer if "room_name" in answer else None  # the limit: once in a second

    answer = wait_until(ask, within=5, what="a token")
    assert answer
    assert ("kitchen", "carol") == (answer["room_name"], answer["participant_identity"])


def test_the_packages_of_the_page_are_those_that_it_is_tried_with() -> None:
    """The command is not run again: `make test` has installed the same from a lock file."""
    packages = json.loads((PACKAGES.parent / "package.json").read_text())["dependencies"]

    wanted = [f"{name}@{version}" for name, version in packages.items()]
    assert ["npm", "install", *wanted] == NPM_INSTALL.text.split()

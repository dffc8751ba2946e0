"""docs/first-evening.md, typed from the first block to the last."""

import json
import os
import re
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests import plain_http
from tests.browser.join_page import chromium_flags, chromium_path
from tests.processes import (
    ROOT,
    Process,
    clean_environ,
    free_port,
    printed_in_shell,
    run_in_shell,
    wait_until,
)
from tests.snippets import Snippet, snippet, snippets
from tests.system.caller import Caller
from tests.system.test_dev import LONGEST_STOP, groups, is_running, listens

pytestmark = pytest.mark.live

RUNS = snippets("docs/first-evening.md")
(MAKE_DEV, CURL, PROCFILE, NAME, HANG_UP, LOGIN, LOG_IN, SERVE, SETTINGS, ASK) = RUNS[:10]
(COPY, PAGE, CERTIFY, NGINX, START_NGINX, DOCTOR) = RUNS[10:]
CONCIERGE = snippet("docs/agents.md", '"""concierge.py')
# What the reader writes anew; and what is a checkout's own, or is left behind by a `make dev`.
_NOT_LINKED = {"Procfile", ".env", ".git", ".token-server-dev.json"}


@dataclass(frozen=True)
class Evening:
    """A checkout in which somebody writes files and types commands, on ports that are free."""

    folder: Path
    web_port: int
    site_port: int
    tls_port: int

    def own(self, text: str) -> str:
        """Return a block with the ports of this test."""
        own = {"8080": self.web_port, "5173": self.site_port, "8443": self.tls_port}
        return re.sub(r"\b(8080|5173|8443)\b", lambda port: str(own[port[0]]), text)

    def save(self, name: str, block: Snippet) -> None:
        """Write a file of the page; its first line names it, but for a Procfile's."""
        assert name == "Procfile" or name in block.text.partition("\n")[0]
        (self.folder / name).write_text(self.own(block.text))

    def environ(self) -> dict[str, str]:
        """Return the environment of the reader's terminals."""
        environ = clean_environ() | {"PORT": str(self.web_port), "PYTHONPATH": str(ROOT)}
        environ["PATH"] += f"{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin"
        del environ["TOKEN_SERVER_ENV_FILE"]
        return environ

    def type(self, block: Snippet) -> str:
        """Run a command that has to succeed; return what it prints."""
        done = run_in_shell(self.own(block.text), self.environ(), self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def begin(self, block: Snippet, log: str) -> Process:
        """Run a command that goes on, in a terminal of its own."""
        command = ["/bin/sh", "-c", f"exec {self.own(block.text)}"]
        return Process(command, self.environ(), self.folder / log, folder=self.folder)

    def make_dev(self, log: str) -> Process:
        """Type `make dev`, which has nothing to set up."""
        command = [str(Path(sys.executable).parent / "token-server"), "dev"]
        return Process(command, self.environ(), self.folder / log, folder=self.folder)


@pytest.fixture
def evening(tmp_path: Path) -> Evening:
    """Go to a checkout of the test's own, with what is in this one."""
    for each in ROOT.iterdir():
        if each.name not in _NOT_LINKED:
            (tmp_path / each.name).symlink_to(each)
    return Evening(tmp_path, free_port(), free_port(), free_port())


def test_an_evening_from_make_dev_to_tls(evening: Evening, dev_port: int, speech: Path) -> None:
    """All that a newcomer is told to type, in this order; each step shows what the page says."""
    assert "make dev" == MAKE_DEV.text
    asked = printed_in_shell(CURL.text.replace("8080", str(dev_port)), clean_environ())
    assert "kitchen" == json.loads(asked)["room_name"]

    see_ones_own_agent(evening)
    let_it_hang_up(evening)
    with log_in(evening), evening.make_dev("second.log") as dev:
        dev.wait_for_output("Ready", within=90)
        see_who_is_let_in(evening)
        see_a_call_from_another_origin(evening, speech)
        see_all_well_through_nginx(evening)
        see_that_nothing_stays(evening, dev)


def see_ones_own_agent(evening: Evening) -> None:
    """Write the worker, have the Procfile start it, and hear its chime."""
    evening.save("concierge.py", CONCIERGE)
    evening.save("Procfile", PROCFILE)
    evening.save(".env", NAME)
    with evening.make_dev("first.log") as dev:
        dev.wait_for_output("Ready", within=90)
        answer = plain_http.post(f"http://127.0.0.1:{evening.web_port}/token", json={})
        token = plain_http.good(answer).json()
        with Caller(token["server_url"], "", token=token["participant_token"]) as human:
            wait_until(lambda: human.heard_seconds > 0.5, within=20, what="the chime")
            (agent,) = human.agents
        dev.stop(signal.SIGINT, within=LONGEST_STOP)
    assert "concierge" == agent


def let_it_hang_up(evening: Evening) -> None:
    """Add the page's lines where it says; what they do is seen on the page of step 5."""
    file = evening.folder / "concierge.py"
    lines = f"{indent(HANG_UP.text, '    ')}\n"
    before = "    await session.say("
    text = file.read_text().replace(before, lines + before)
    assert lines in text
    file.write_text(text.replace("\nimport math\n", "\nimport asyncio\nimport math\n"))


def log_in(evening: Evening) -> Process:
    """Log in, and serve what the page and the token server need of it."""
    evening.save("login.py", LOGIN)
    evening.type(LOG_IN)
    evening.save(".env", SETTINGS)
    return evening.begin(SERVE, "site.log")


def see_who_is_let_in(evening: Evening) -> None:
    """Ask without a login, and with one."""
    refused, let_in = map(json.loads, re.findall(r"\{.*?\}", evening.type(ASK), re.DOTALL))

    assert ("unauthenticated", "alice") == (refused["code"], let_in["participant_identity"])


def see_a_call_from_another_origin(evening: Evening, microphone: Path) -> None:
    """Press the button; the agent comes, and ends the call as its metadata says."""
    evening.type(COPY)
    evening.save("site/index.html", PAGE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(),
            args=chromium_flags(microphone),
            chromium_sandbox=os.geteuid() != 0,
        )
        page: Page = browser.new_page()
        page.goto(f"http://localhost:{evening.site_port}")
        page.get_by_role("button", name="Join").click()
        status = page.get_by_role("status")
        expect(status).to_have_text("The concierge is here.", timeout=20_000)
        expect(status).to_have_text("The call has ended.", timeout=20_000)
        browser.close()


def see_all_well_through_nginx(evening: Evening) -> None:
    """Put TLS in front, and join through it."""
    assert shutil.which("nginx", path=evening.environ()["PATH"]), "there is no nginx"
    evening.type(CERTIFY)
    evening.save("nginx/nginx.conf", NGINX)
    with evening.begin(START_NGINX, "nginx.log"):
        wait_until(lambda: listens(evening.tls_port), within=10, what="nginx listens")
        assert "All well" in evening.type(DOCTOR)


def see_that_nothing_stays(evening: Evening, dev: Process) -> None:
    """Press Ctrl-C: no process is left, and no port is taken."""
    children = groups(dev, 3)

    code = dev.stop(signal.SIGINT, within=LONGEST_STOP)

    assert (0, [False] * 3) == (code, [is_running(group) for group in children])
    assert not listens(evening.web_port)

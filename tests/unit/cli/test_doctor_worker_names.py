"""A worker has another name than the one that is asked for: what is typed, and who changes."""

from dataclasses import replace

import pytest

from tests.processes import ROOT
from tests.unit.cli.test_doctor_arrival import dispatched, probe, worker
from token_server.cli.doctor.arrival import check_agent
from token_server.cli.doctor.checks import Check
from token_server.cli.doctor.here import Here

OURS = (ROOT / "Procfile").read_text()
WEB = "gunicorn --config token_server/gunicorn_conf.py token_server.wsgi:app"
OF_WEB = f"web: {WEB}\n"
OWN = f"{OF_WEB}worker: python my.py start\n"
NAMED = f"{OF_WEB}worker: LIVEKIT_AGENT_NAME=parrot python -m agent start\n"
ASKED = {"LIVEKIT_AGENT_NAME": "voice-agent"}


def other_name(here: Here, wanted: str = "voice-agent") -> Check:
    """Have a worker `parrot` there."""
    around = replace(worker("parrot"), is_named_by_setting=here.is_worker_named_by_setting)
    return check_agent(dispatched(probe(wanted), agent_name=wanted), around)


@pytest.mark.parametrize(
    ("here", "lines"),
    [
        pytest.param(
            Here(procfile=OWN, settings=ASKED),
            ("echo 'LIVEKIT_AGENT_NAME=parrot' >> .env", WEB),
            id="own-worker",
        ),
        pytest.param(
            Here(procfile=OWN, settings=ASKED, is_make_dev=True),
            ("echo 'LIVEKIT_AGENT_NAME=parrot' >> .env", "token-server dev"),
            id="own-worker-of-make-dev",
        ),
        pytest.param(
            Here(procfile=OF_WEB, settings=ASKED | {"PORT": "9321"}, is_make_dev=True),
            ("echo 'LIVEKIT_AGENT_NAME=parrot' >> .env", "PORT=9321 token-server dev"),
            id="own-worker-beside-make-dev",
        ),
        pytest.param(
            Here(procfile=NAMED, settings=ASKED, environ=ASKED, is_make_dev=True),
            ("export LIVEKIT_AGENT_NAME=parrot", "token-server dev"),
            id="a-name-in-the-command",
        ),
        pytest.param(
            Here(procfile=OURS, settings=ASKED, is_make_dev=True),
            ("echo 'LIVEKIT_AGENT_NAME=voice-agent' >> .env", "token-server dev"),
            id="our-agent-of-make-dev",
        ),
        pytest.param(
            Here(procfile=OURS, settings={"LIVEKIT_AGENT_NAME": "old"}),
            ("echo 'LIVEKIT_AGENT_NAME=voice-agent' >> .env", "python -m agent start"),
            id="our-agent",
        ),
        pytest.param(
            Here(procfile=OWN, is_web_here=False),
            ("echo 'LIVEKIT_AGENT_NAME=voice-agent' >> .env", "python my.py start"),
            id="the-token-server-is-elsewhere",
        ),
        pytest.param(
            Here(),
            ("echo 'LIVEKIT_AGENT_NAME=voice-agent' >> .env", "python -m agent start"),
            id="no-procfile",
        ),
    ],
)
def test_the_name_is_set_where_that_changes_something(here: Here, lines: tuple[str, ...]) -> None:
    """A worker of one's own has its name in its code, and `token-server dev` alone sets none."""
    check = other_name(here)

    assert "worker-other-name" == check.cause
    assert lines == here.commands(check.steps)


def test_who_asked_for_no_name_asks_for_the_worker_s() -> None:
    """AGENT_DISPATCH=automatic and a name do not go together."""
    here = Here(procfile=OWN, settings={"AGENT_DISPATCH": "automatic"})

    lines = here.commands(other_name(here, "").steps)

    assert ("echo 'AGENT_DISPATCH=' >> .env", "echo 'LIVEKIT_AGENT_NAME=parrot' >> .env", WEB) == (
        lines
    )


@pytest.mark.parametrize(
    ("procfile", "wanted", "begin", "other_way"),
    [
        pytest.param(
            OWN,
            "voice-agent",
            "The token server is started again with LIVEKIT_AGENT_NAME=parrot:",
            "Or give the worker the name `voice-agent`",
            id="own-worker",
        ),
        pytest.param(
            OURS,
            "voice-agent",
            "The worker is started again with LIVEKIT_AGENT_NAME=voice-agent:",
            "Or set LIVEKIT_AGENT_NAME=parrot for the token server",
            id="our-agent",
        ),
        pytest.param(
            OURS,
            "",
            "The worker is started again with AGENT_DISPATCH=automatic:",
            "LIVEKIT_AGENT_NAME=parrot and without AGENT_DISPATCH=automatic",
            id="our-agent-without-a-name",
        ),
    ],
)
def test_the_cure_says_what_the_lines_do_and_the_other_way(
    procfile: str, wanted: str, begin: str, other_way: str
) -> None:
    """Which of both names is right only the reader knows."""
    cure = other_name(Here(procfile=procfile), wanted).cure

    assert cure.startswith(begin)
    assert other_way in cure

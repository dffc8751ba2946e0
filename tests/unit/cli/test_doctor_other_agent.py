"""`token-server doctor --agent NAME`: another agent than the token server's own."""

from dataclasses import replace

import pytest

from tests.environ import environ, settings
from tests.unit.cli.test_doctor_arrival import NOBODY, dispatched, probe, worker
from tests.unit.cli.test_doctor_findings import answer, token
from token_server.cli.doctor import issued_token
from token_server.cli.doctor.arrival import Surroundings, check_agent
from token_server.cli.doctor.checks import Check
from token_server.cli.doctor.here import Here
from token_server.cli.doctor.patient import Options, Patient, admit
from token_server.cli.doctor.told_workers import ToldWorker
from token_server.cli.doctor.worker import WorkerReport
from token_server.cli.doctor.worker_names import of_own_worker
from token_server.cli.doctor.worker_search import worker_of

KNOWN = ("voice-agent", "concierge", "tutor")
AGENT = {"room_config": {"agents": [{"agent_name": "concierge"}]}}
REFUSED = answer(
    403, {"msg": "room_config.agents.0.agent_name is not an agent that callers may ask for"}
)


def patient(agent_name: str = "concierge", **changes: str) -> Patient:
    """Whom that command examines."""
    options = Options(server_url="http://127.0.0.1:8080", agent_name=agent_name)
    _, found = admit(environ(**changes), options)
    assert found
    return found


def report(agent_name: str, port: int = 8081) -> WorkerReport:
    """A worker on this machine."""
    found = worker(agent_name).worker
    assert found
    return replace(found, port=port)


def test_the_request_for_a_token_has_the_agent() -> None:
    """As a frontend asks for it; the server's own needs no asking."""
    assert AGENT.items() <= patient(AGENT_NAMES="concierge").fields().items()
    assert "room_config" not in patient("").fields()


def test_an_agent_of_a_rule_is_asked_for_in_a_room_of_that_rule() -> None:
    """Elsewhere it is nobody's to ask for."""
    ruled = patient(AGENT_RULES="lobby=concierge,support-*=concierge")
    shadowed = patient(AGENT_RULES="s*=tutor,support-*=concierge")

    assert str(ruled.fields()["room_name"]).startswith("support-doctor-")
    assert str(shadowed.fields()["room_name"]).startswith("doctor-")


def test_a_token_for_the_agent_asked_for_is_no_disagreement() -> None:
    """Web and worker were to be started again, for nothing."""
    read = issued_token.read(token(roomConfig={"agents": [{"agentName": "concierge"}]}))

    assert read
    same = issued_token.check_same_livekit(read, settings(), has_room=True, agent_name="concierge")
    assert same.cause is None


@pytest.mark.parametrize(
    ("agent_name", "changes", "lines"),
    [
        pytest.param(
            "concierge",
            {"AGENT_NAMES": "tutor"},
            ("echo 'AGENT_NAMES=tutor,concierge' >> .env", "WEB"),
            id="not-allowed",
        ),
        pytest.param(
            "conceirge",
            {"AGENT_NAMES": "tutor,concierge"},
            ("token-server doctor --agent concierge",),
            id="misspelled",
        ),
        pytest.param(
            "concierge",
            {"AGENT_DISPATCH": "automatic", "LIVEKIT_AGENT_NAME": ""},
            (
                "echo 'AGENT_DISPATCH=' >> .env",
                "echo 'LIVEKIT_AGENT_NAME=concierge' >> .env",
                "WEB",
            ),
            id="automatic",
        ),
        pytest.param(
            "concierge",
            {"AGENT_NAMES": "concierge"},
            ("WEB",),
            id="web-is-older-than-the-setting",
        ),
    ],
)
def test_a_server_that_does_not_allow_it_is_told_to(
    agent_name: str, changes: dict[str, str], lines: tuple[str, ...]
) -> None:
    """AGENT_NAMES is the setting; its own words do not say so."""
    given = environ(**changes)
    check = issued_token.check_issued(
        REFUSED, settings(**changes), has_login=False, agent_name=agent_name
    )

    here = Here(procfile="web: WEB token_server", settings=given, agent=agent_name)
    assert "server-refuses" == check.cause
    assert f"`{agent_name}`" in check.says
    assert lines == tuple(line.removesuffix(" token_server") for line in here.commands(check.steps))


def test_from_outside_its_operator_is_told() -> None:
    """Nothing can be set here."""
    check = issued_token.check_issued(REFUSED, None, has_login=False, agent_name="concierge")

    assert "AGENT_NAMES" in check.cure
    assert ("token-server doctor --url http://a --agent concierge",) == Here(
        is_outside=True, url="http://a", agent="concierge"
    ).commands(check.steps)


@pytest.mark.parametrize(
    ("here", "port"),
    [
        pytest.param([report("voice-agent"), report("conceirge", 8082)], 8082, id="misspelled"),
        pytest.param(
            [report("x", 8081), report("conceirge", 8082), report("a", 8083)],
            8082,
            id="the-nearest",
        ),
        pytest.param(
            [report("conceirge", 8082), report("concierge", 8083)], 8083, id="the-right-one"
        ),
        pytest.param([report("voice-agent"), report("tutor", 8082)], None, id="all-of-others"),
        pytest.param([], None, id="none"),
    ],
)
def test_a_worker_that_has_the_name_of_another_agent_is_not_meant(
    here: list[WorkerReport], port: int | None
) -> None:
    """The default agent's worker was to get another name."""
    found = worker_of("concierge", here, KNOWN)

    assert port == (found.port if found else None)


def checked(around: Surroundings) -> Check:
    """See no `concierge` come."""
    known = replace(around, is_other_agent=True, known_names=KNOWN)
    seen = dispatched(probe("concierge"), agent_name="concierge")
    return of_own_worker(check_agent(seen, known), "concierge", 8082)


def told(agent_name: str) -> ToldWorker:
    """A worker that has told."""
    return ToldWorker(
        agent_name=agent_name,
        host="a",
        state="idle",
        calls=0,
        max_calls=1,
        seconds_since_heard=1.0,
    )


@pytest.mark.parametrize(
    ("around", "cause", "evidence"),
    [
        pytest.param(worker("conceirge"), "worker-other-name", "name `conceirge`", id="misspelled"),
        pytest.param(
            replace(NOBODY, told=(told("tutor"), told("conceirge"))),
            "worker-other-name",
            "`conceirge`",
            id="misspelled-elsewhere",
        ),
        pytest.param(worker(""), "worker-without-name", "no name", id="no-name"),
        pytest.param(
            replace(NOBODY, others=(report("voice-agent"),)),
            "no-worker",
            "`voice-agent`",
            id="none",
        ),
        pytest.param(
            replace(NOBODY, told=(told("voice-agent"),)), "no-worker", "`voice-agent`", id="told"
        ),
        pytest.param(worker("concierge"), "worker-elsewhere", "`concierge`", id="elsewhere"),
    ],
)
def test_what_is_said_of_workers_is_of_this_agent(
    around: Surroundings, cause: str, evidence: str
) -> None:
    """And what is typed starts its own worker, beside the other one."""
    check = checked(around)

    assert cause == check.cause
    assert evidence in " ".join(check.evidence)
    assert "python -m agent" not in check.cure
    assert ("LIVEKIT_AGENT_PORT=8082 LIVEKIT_AGENT_NAME=concierge YOUR-WORKER-COMMAND",) == (
        Here().commands(check.steps)
    )


BESIDE = (
    "web: gunicorn token_server\nconcierge: LIVEKIT_AGENT_PORT=8082 python concierge.py start\n"
)
EXPORT = 'eval "$(token-server dev --export)"'


@pytest.mark.parametrize(
    ("here", "around", "lines"),
    [
        pytest.param(
            Here(is_make_dev=True),
            NOBODY,
            (EXPORT, "LIVEKIT_AGENT_PORT=8082 LIVEKIT_AGENT_NAME=concierge YOUR-WORKER-COMMAND"),
            id="beside-make-dev",
        ),
        pytest.param(
            Here(procfile=BESIDE),
            NOBODY,
            ("LIVEKIT_AGENT_PORT=8082 python concierge.py start",),
            id="in-the-procfile",
        ),
        pytest.param(
            Here(procfile=BESIDE, is_make_dev=True), NOBODY, ("token-server dev",), id="make-dev-s"
        ),
        pytest.param(
            Here(procfile=BESIDE),
            worker("concierge", load=0.9),
            ("LIVEKIT_AGENT_PORT=0 python concierge.py start",),
            id="one-more",
        ),
    ],
)
def test_its_worker_is_started_as_the_folder_has_it(
    here: Here, around: Surroundings, lines: tuple[str, ...]
) -> None:
    """`python -m agent` would be this project's parrot under another agent's name."""
    assert lines == here.commands(checked(around).steps)


def test_without_the_option_another_agent_s_worker_is_not_meant_either() -> None:
    """It told the token server, and was to be renamed."""
    around = replace(NOBODY, told=(told("tutor"),), known_names=KNOWN)

    assert "no-worker" == check_agent(dispatched(probe()), around).cause

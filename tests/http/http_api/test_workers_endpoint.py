"""/workers: who may tell, what may be told, and what the operator sees."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from tests.environ import settings
from tests.exposition import counted
from tests.fakes import FakeLiveKit
from tests.http.clients import error_of
from tests.processes import API_SECRET
from tests.recording_keeper import RecordingKeeper
from tests.webhook_signing import joined, sign
from tests.worker_words import JOB, PROCESS, WORD, process, sign_word
from token_server.auth.operators import Operators
from token_server.http_api import workers_endpoint
from token_server.http_api.app import create_app
from token_server.http_api.workers_endpoint import WORD_LIMIT, WorkerWords
from token_server.state.workers import WorkerBook, count_states
from token_server.state.workers_file import WorkersFile
from token_server.telemetry.metrics import Metrics

KEY = {"Authorization": "Bearer operator"}


@pytest.fixture
def book(tmp_path: Path) -> WorkerBook:
    """What this machine's processes know."""
    return WorkerBook(WorkersFile(tmp_path / "workers"), time.time)


@pytest.fixture
def client(book: WorkerBook) -> FlaskClient:
    """A client of an application with an operator's key."""
    app = create_app(settings(), FakeLiveKit(), RecordingKeeper())
    words = WorkerWords(settings().webhook_secrets, book)
    operators = Operators(["operator"], is_demo=False)
    app.register_blueprint(
        workers_endpoint.create_blueprint(operators, words, book, ["voice-agent"])
    )
    return app.test_client()


def tell(client: FlaskClient, **changes: object) -> TestResponse:
    """Tell what a worker tells."""
    body = json.dumps({**WORD, **changes}).encode()
    return client.post("/workers", data=body, headers={"Authorization": sign_word(body)})


def shown(client: FlaskClient) -> list[dict[str, Any]]:
    """What the operator sees."""
    found: list[dict[str, Any]] = client.get("/workers", headers=KEY).get_json()["workers"]
    return found


def test_a_worker_that_tells_is_listed(client: FlaskClient) -> None:
    """The question this exists for: is one registered, under which name, and has it room?"""
    told = tell(client, calls=1, jobs=[JOB])

    (row,) = shown(client)
    assert (204, b"") == (told.status_code, told.data)
    assert 0 <= row.pop("seconds_since_heard") < 5
    assert 60 <= row.pop("seconds_registered") < 65
    assert row == {
        "agent_name": "voice-agent",
        "host": "engine-room",
        "state": "busy",
        "worker_id": "AW_1",
        "calls": 1,
        "max_calls": 2,
        "jobs": [JOB],
    }


def test_whoever_needs_somebody_comes_first(client: FlaskClient) -> None:
    """An operator reads the first line."""
    tell(client)
    tell(client, process=process(2), calls=2)
    tell(client, process=process(3), registered_for=None)

    assert ["unregistered", "full", "idle"] == [row["state"] for row in shown(client)]


def test_one_that_leaves_is_gone_at_once(client: FlaskClient) -> None:
    """It is no ghost."""
    tell(client)
    tell(client, sequence=2, is_leaving=True)

    assert [] == shown(client)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}])
def test_only_the_operator_sees_them(client: FlaskClient, headers: dict[str, str]) -> None:
    """Hosts and rooms are nobody else's business."""
    assert (401, "unauthenticated") == error_of(client.get("/workers", headers=headers))[:2]


BODY = json.dumps(WORD).encode()
AN_HOUR = 3600
STRANGERS = {
    "nothing": "",
    "no JWT": "Bearer x",
    "an operator's key": "Bearer operator",
    "another secret": sign_word(BODY, API_SECRET[::-1], exp=int(time.time()) + AN_HOUR),
    "another key": sign_word(BODY, iss="other", exp=int(time.time()) + AN_HOUR),
    "expired": sign_word(BODY, exp=int(time.time()) - 61),
    "without an end": sign_word(BODY, exp=None),
    "for nobody": sign_word(BODY, aud=None, exp=int(time.time()) + AN_HOUR),
    "for another": sign_word(BODY, aud="other", exp=int(time.time()) + AN_HOUR),
    "another body": sign_word(b"{}", exp=int(time.time()) + AN_HOUR),
    "no body": sign_word(BODY, sha256=None, exp=int(time.time()) + AN_HOUR),
}


@pytest.mark.parametrize("authorization", STRANGERS.values(), ids=STRANGERS.keys())
def test_strangers_tell_nothing(client: FlaskClient, authorization: str) -> None:
    """A made-up worker would hide that there is none."""
    told = client.post("/workers", data=BODY, headers={"Authorization": authorization})

    assert (401, "unauthenticated", []) == (*error_of(told)[:2], shown(client))


def test_of_a_stranger_nothing_is_read(client: FlaskClient) -> None:
    """Neither a body over the limit nor one that is no JSON is looked at."""
    told = client.post("/workers", data=b"x" * (WORD_LIMIT + 1))

    assert 401 == told.status_code


def test_a_webhook_is_no_workers_word_and_no_word_is_a_webhook(client: FlaskClient) -> None:
    """Both are signed with the same secret, and neither may pass for the other."""
    webhook = client.post("/workers", data=BODY, headers={"Authorization": sign(BODY)})
    word = client.post("/webhook", data=joined(), headers={"Authorization": sign_word(joined())})
    genuine = client.post("/webhook", data=joined(), headers={"Authorization": sign(joined())})

    assert [401, 401, 200] == [each.status_code for each in (webhook, word, genuine)]


BAD: dict[str, dict[str, object]] = {
    "process": {"process": "../../etc"},
    "process's end": {"process": f"{PROCESS}\n"},
    "worker_id": {"worker_id": "x" * 65},
    "agent_name": {"agent_name": "x" * 257},
    "host": {"host": 1},
    "registered_for": {"registered_for": -1},
    "registered_for.infinity": {"registered_for": float("inf")},
    "calls": {"calls": "1"},
    "max_calls": {"max_calls": 0},
    "is_draining": {"is_draining": 0},
    "sequence": {"sequence": 1.5},
    "jobs": {"jobs": [JOB] * 1_001},
    "jobs.0.room_name": {"jobs": [{"dispatch_id": "AD_1"}]},
    "jobs.0.dispatch_id": {"jobs": [{**JOB, "dispatch_id": "x" * 65}]},
}


@pytest.mark.parametrize(("field", "changes"), BAD.items(), ids=BAD.keys())
def test_a_word_that_breaks_a_rule_is_refused(
    client: FlaskClient, field: str, changes: dict[str, object]
) -> None:
    """Its field is named, and nothing of it is kept."""
    status, code, msg = error_of(tell(client, **changes))

    named = field.partition("'")[0].removesuffix(".infinity")
    assert (400, "invalid_argument", []) == (status, code, shown(client))
    assert msg.startswith((named, "body"))


def test_no_json_is_refused(client: FlaskClient) -> None:
    """Signed rubbish."""
    for body in (b"", b"[]", b"\xff", b"[" * 100_000):
        told = client.post("/workers", data=body, headers={"Authorization": sign_word(body)})
        assert 400 == told.status_code


def test_a_word_over_the_limit_is_refused(client: FlaskClient) -> None:
    """Nobody fills our memory."""
    assert 413 == tell(client, host="x" * WORD_LIMIT).status_code


def test_the_longest_word_of_a_worker_is_taken(client: FlaskClient) -> None:
    """A thousand calls in rooms of the longest names."""
    job = {"dispatch_id": "AD_" + "x" * 20, "room_name": "x" * 256}

    assert 204 == tell(client, jobs=[job] * 1_000, calls=1_000, max_calls=1_000).status_code


def test_one_worker_cannot_tell_without_end(client: FlaskClient) -> None:
    """Of those that know the key too: each word is a file."""
    statuses = {tell(client, sequence=number).status_code for number in range(40)}

    assert {204, 429} == statuses


def test_what_a_later_version_adds_is_passed_over(client: FlaskClient) -> None:
    """Workers may be updated before the token server."""
    assert 204 == tell(client, more={"x": 1}).status_code


def test_prometheus_sees_how_many_are_how(client: FlaskClient, book: WorkerBook) -> None:
    """Counted when it asks: whichever process is asked, nobody is counted twice."""
    tell(client)
    metrics = Metrics(CollectorRegistry())
    metrics.workers.count = lambda: count_states(book.workers(), ["voice-agent"], time.time())

    assert {'workers{agent_name="voice-agent",state="idle"}': 1.0} == counted(metrics)

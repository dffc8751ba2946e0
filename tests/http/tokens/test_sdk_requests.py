"""What LiveKit's SDKs send to a token endpoint and read in its answers (livekit-behaviour 63).

Their bodies, written after the SDKs' sources, with every option set and with the room alone:
- livekit-client 2.23.0, src/room/token-source/TokenSource.ts: protobuf's JSON
- client-sdk-swift 0178cb7, Sources/LiveKit/Token/TokenSource.swift: `room_config` is always there
- client-sdk-android 1ab1bdc, livekit-android-sdk/.../token/TokenSource.kt: likewise
- client-sdk-flutter 1584f3d, lib/src/token_source/token_source.dart
- client-sdk-cpp 2e7d783, src/token_source_json.cpp; client-sdk-unity 195502b,
  Runtime/Scripts/TokenSource/TokenSource.cs; rust-sdks 2c87b2e, livekit-token-source/src/request.rs
"""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.clients import client_for, error_of
from tests.join_tokens import agents_of, claims_of
from tests.snippets import Snippet, snippets
from token_server.livekit.port import AgentOrder

_PAGE = "docs/frontends.md"
DOCUMENTS = snippets(_PAGE, "json")
# What no compiler here reads.
PHONES = snippets(_PAGE, "swift", "kotlin", "dart")
RUNS = [*DOCUMENTS, *PHONES]
_REQUEST, _ANSWER, _ERROR = (json.loads(document.text) for document in DOCUMENTS)
_ONLY_ROOM = {"room_name": "kitchen"}
_WITHOUT_AGENT = {**_ONLY_ROOM, "room_config": {}}
_AGENT = _REQUEST["room_config"]["agents"][0]


def _with_agent(**fields: object) -> dict[str, Any]:
    return {**_ONLY_ROOM, "room_config": {"agents": [{**_AGENT, **fields}]}}


@pytest.fixture(scope="module")
def concierge() -> FlaskClient:
    """A server whose callers may ask for the concierge."""
    return client_for(AGENT_NAMES="concierge")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(_REQUEST, id="all options"),
        pytest.param(_ONLY_ROOM, id="all but Swift and Android: no agent"),
        pytest.param(_WITHOUT_AGENT, id="Swift, Android: no agent"),
        pytest.param({"room_config": {}}, id="no options"),
        pytest.param(_with_agent(), id="an agent"),
        # protobuf's JSON leaves out what is not set, and so do the others.
        pytest.param({"room_config": {"agents": [{"metadata": "x"}]}}, id="metadata alone"),
    ],
)
def test_what_an_sdk_sends_is_accepted(concierge: FlaskClient, body: dict[str, Any]) -> None:
    """The claim of docs/http.md: they work unchanged. All of them read these two fields."""
    answer = concierge.post("/token", json=body)

    assert 201 == answer.status_code, answer.get_data(as_text=True)
    assert sorted(_ANSWER) == sorted(answer.get_json())
    assert all(isinstance(value, str) for value in answer.get_json().values())


def test_the_pages_request_reaches_token_and_job(concierge: FlaskClient) -> None:
    """Each field that the page shows does what it says."""
    token = concierge.post("/token", json=_REQUEST).get_json()["participant_token"]

    claims = claims_of(token)
    assert ("alice", "Alice", "likes eggs", "7") == (
        claims.identity,
        claims.name,
        claims.metadata,
        (claims.attributes or {})["table"],
    )
    assert [AgentOrder(agent_name="concierge", metadata=_AGENT["metadata"])] == agents_of(token)


@pytest.mark.parametrize("field", ["deployment", "attributes"])
def test_what_only_some_sdks_know_is_refused_by_name(concierge: FlaskClient, field: str) -> None:
    """`deployment`, and Android's attributes of the agent: not the caller's to choose."""
    value = {"a": "b"} if field == "attributes" else "canary"

    status, _, msg = error_of(concierge.post("/token", json=_with_agent(**{field: value})))

    assert (400, True) == (status, f"room_config.agents.0.{field}" in msg)
    assert msg.endswith(": DISPATCH_OPTIONS is 0")


@pytest.mark.parametrize("field", ["deployment", "attributes"])
def test_what_only_some_sdks_know_is_accepted_where_the_operator_allows_it(field: str) -> None:
    """Their words are LiveKit's, and so are ours."""
    client = client_for(AGENT_NAMES="concierge", DISPATCH_OPTIONS="1")
    value = {"a": "b"} if field == "attributes" else "canary"

    assert 201 == client.post("/token", json=_with_agent(**{field: value})).status_code


def test_the_error_of_the_page_is_the_servers() -> None:
    """The shape, the code and the words."""
    client = client_for(RATE_LIMIT="30/minute")

    *_, last = (client.post("/token") for _ in range(31))

    assert (429, _ERROR) == (last.status_code, last.get_json())


@pytest.mark.parametrize("snippet", PHONES, ids=str)
def test_what_cannot_be_compiled_here_asks_the_right_path_with_the_login(snippet: Snippet) -> None:
    """The rest of these few lines was compared with the SDKs' sources by eye."""
    addresses = re.findall(r"https://[^\"']+", snippet.text)

    assert ["https://tokens.example.com/token"] == addresses
    assert re.search(r"Authorization.*Bearer .*loginToken", snippet.text)

"""What is read from a request that is right; tests/http has the tables of what is not."""

import json
import re

import hypothesis
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import strategies as st
from livekit.protocol.room import RoomConfiguration

from token_server.errors import InvalidRequestError
from token_server.tokens.token_request import RequestedAgent, TokenRequest, parse_json, parse_query

FIELDS = [
    *("room_name", "participant_identity", "participant_name", "participant_metadata"),
    *("participant_attributes", "room_config", "agents", "agent_name", "metadata", "x"),
]


def test_all_fields_are_read() -> None:
    """The names are LiveKit's endpoint convention, to the letter."""
    found = parse_json(
        b'{"room_name": "kitchen", "participant_identity": "alice", "participant_name": "Alice",'
        b' "participant_metadata": "m", "participant_attributes": {"a": ""}, "room_config":'
        b' {"agents": [{"agent_name": "tutor", "metadata": "be brief"}]}}'
    )

    assert ("kitchen", "alice", "Alice", "m", {"a": ""}, "tutor", "be brief") == (
        found.room_name,
        found.participant_identity,
        found.participant_name,
        found.participant_metadata,
        found.participant_attributes,
        found.agent.agent_name,
        found.agent.metadata,
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(json.dumps(dict.fromkeys(FIELDS[:6])).encode(), id="nulls"),
        pytest.param(b'{"room_name": "", "participant_attributes": {}}', id="empty values"),
        pytest.param(b'{"room_config": {"agents": []}}', id="no agents"),
    ],
)
def test_what_is_empty_is_not_given(body: bytes) -> None:
    """proto3 cannot tell the two apart, and LiveKit's clients write its JSON."""
    assert TokenRequest() == parse_json(body)


@pytest.mark.parametrize("keeps_names", [True, False], ids=["snake_case", "camelCase"])
def test_defaults_that_protobuf_spells_out_are_not_given(*, keeps_names: bool) -> None:
    """Some languages' JSON writes every field; the fields are LiveKit's own list."""
    room_config = MessageToDict(
        RoomConfiguration(),
        always_print_fields_with_no_presence=True,
        preserving_proto_field_name=keeps_names,
    )

    assert TokenRequest() == parse_json(json.dumps({"room_config": room_config}).encode())


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ({"agentName": "tutor"}, RequestedAgent(agent_name="tutor")),
        ({"agent_name": "tutor", "metadata": ""}, RequestedAgent(agent_name="tutor")),
        ({"metadata": "be brief"}, RequestedAgent(metadata="be brief")),
        ({"agent_name": "", "metadata": "m", "deployment": ""}, RequestedAgent(metadata="m")),
        ({"agent_name": "tutor", "restart_policy": 0}, RequestedAgent(agent_name="tutor")),
        ({}, RequestedAgent()),
    ],
    ids=["camelCase", "snake_case", "only metadata", "empty name", "default policy", "nothing"],
)
def test_an_agent_is_read_as_clients_write_it(
    agent: dict[str, object], expected: RequestedAgent
) -> None:
    """livekit-client writes the top level in snake_case and what is below with protobuf's JSON."""
    body = json.dumps({"room_config": {"agents": [agent]}}).encode()

    assert expected == parse_json(body).agent


@pytest.mark.parametrize(
    "text", ["Küche", "部屋", "a b", "a/b?c#d", "👍🏽", "x" * 256, "é" * 128], ids=range(7)
)
def test_names_are_in_any_language(text: str) -> None:
    """Up to 256 bytes of UTF-8."""
    found = parse_json(json.dumps({"room_name": text, "participant_identity": text}).encode())

    assert (text, text) == (found.room_name, found.participant_identity)


def test_a_shown_name_may_be_written_with_emoji_families() -> None:
    """They are joined by U+200D, which phones type; the name is only shown."""
    family = "👨\u200d👩\u200d👧"

    body = json.dumps({"participant_name": family}).encode()

    assert family == parse_json(body).participant_name


# The ends of the ranges that the patterns refuse, and what stands beside them.
NEAR_RANGES = sorted(
    chr(int(escaped, 16) + step)
    for pattern in re.findall(r"'pattern': '(.*?)'", str(TokenRequest.model_json_schema()))
    for escaped in re.findall(r"\\u([0-9a-f]{4})", pattern)
    for step in (-1, 0, 1)
    if int(escaped, 16) + step >= 0
)


@pytest.mark.parametrize("field", ["room_name", "participant_identity", "participant_name"])
@hypothesis.given(
    text=st.text(st.sampled_from(NEAR_RANGES) | st.characters(codec="utf-8"), max_size=5)
    | st.text(max_size=3).map("agent-".__add__)
)
def test_a_names_pattern_in_the_document_is_the_rule(field: str, text: str) -> None:
    """Whatever the text: clients that check before they ask need not be surprised."""
    described = TokenRequest.model_json_schema()["properties"][field]
    try:
        parse_json(json.dumps({field: text}).encode())
    except InvalidRequestError:
        is_accepted = False
    else:
        is_accepted = True

    # Python's $ is before a last newline, too; ECMA's is not.
    pattern = described["pattern"].removesuffix("$")
    assert is_accepted == (re.fullmatch(pattern, text) is not None)


def test_metadata_is_the_applications_own() -> None:
    """Newlines, control characters, any JSON: 8192 bytes."""
    text = '{"a":\n\t"\0"}'.ljust(8192)

    body = json.dumps({"participant_metadata": text}).encode()

    assert text == parse_json(body).participant_metadata


def test_a_query_has_the_same_fields() -> None:
    """As far as they are plain text; an empty one is not given."""
    found = parse_query({"room_name": "kitchen", "participant_identity": ""})

    assert TokenRequest(room_name="kitchen") == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(), inner, max_size=4)
    ),
    max_leaves=10,
)


@hypothesis.given(st.binary() | JSON.map(json.dumps).map(str.encode))
def test_whatever_is_sent_is_read_or_refused(unverified_body: bytes) -> None:
    """One error and no other leaves this module."""
    try:
        found: object = parse_json(unverified_body)
    except InvalidRequestError as error:
        found = str(error)

    assert isinstance(found, TokenRequest | str)


@hypothesis.given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), st.text()))
def test_whatever_is_in_the_query_is_read_or_refused(unverified_query: dict[str, str]) -> None:
    """Likewise."""
    try:
        found: object = parse_query(unverified_query)
    except InvalidRequestError as error:
        found = str(error)

    assert isinstance(found, TokenRequest | str)

"""POST and GET /token, where all is well."""

import pytest
from flask.testing import FlaskClient
from livekit.api import AccessToken
from livekit.protocol.agent_dispatch import RoomAgentDispatch
from livekit.protocol.room import RoomConfiguration

from tests.environ import LIVEKIT_URL
from tests.fakes import FakeLiveKit
from tests.http.clients import client_for, error_of
from tests.join_tokens import agents_of, claims_of, order_in_ticket_of
from tests.long_metadata import LONG_METADATA
from tests.processes import AGENT_NAME, API_KEY, API_SECRET
from tests.recording_keeper import RecordingKeeper
from token_server.livekit.port import AgentOrder

ALL_FIELDS = {
    "room_name": "kitchen",
    "participant_identity": "alice",
    "participant_name": "Alice 🍳",
    "participant_metadata": "likes eggs",
    "participant_attributes": {"table": "7"},
    "room_config": {"agents": [{"agent_name": AGENT_NAME, "metadata": "be brief"}]},
}

# Bytes of the line that livekit-client 2.23.0 joins with, but for the token: GET /rtc/v1 with an
# offer of sound in it, packed. Seen in Chromium.
CLIENTS_OWN = 2494


def test_a_join_has_all_that_a_client_needs(client: FlaskClient) -> None:
    """LiveKit's endpoint convention: TokenSource.endpoint reads server_url and the token."""
    answer = client.post("/token", json=ALL_FIELDS)

    assert (201, "no-store", LIVEKIT_URL, "kitchen", "alice") == (
        answer.status_code,
        answer.headers["Cache-Control"],
        answer.get_json()["server_url"],
        answer.get_json()["room_name"],
        answer.get_json()["participant_identity"],
    )


def test_the_token_says_what_was_asked_for(client: FlaskClient) -> None:
    """Checked by LiveKit's own library, as the server will."""
    token = client.post("/token", json=ALL_FIELDS).get_json()["participant_token"]

    claims = claims_of(token)
    assert ("alice", "Alice 🍳", "likes eggs", "7", "kitchen") == (
        claims.identity,
        claims.name,
        claims.metadata,
        (claims.attributes or {})["table"],
        claims.video and claims.video.room,
    )


def test_the_ticket_in_the_token_opens_for_its_holder(client: FlaskClient) -> None:
    """What the keeper will find in the room once the client has joined."""
    token = client.post("/token", json=ALL_FIELDS).get_json()["participant_token"]
    order = AgentOrder(agent_name=AGENT_NAME, metadata="be brief")
    assert ([order], order) == (agents_of(token), order_in_ticket_of(token))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"", None, id="no body"),
        pytest.param(b"", "application/json", id="an empty body"),
        pytest.param(b"{}", "application/json", id="an empty object"),
        pytest.param(b"{}", "application/json; charset=utf-8", id="with a charset"),
        pytest.param(b' {"room_name": null}\n', "application/json", id="null as not given"),
        pytest.param(b'{"room_config": {}}', "application/json", id="an empty room_config"),
    ],
)
def test_every_field_is_optional(
    client: FlaskClient, body: bytes, content_type: str | None
) -> None:
    """A client that leaves all to us gets a room and an identity of its own."""
    answer = client.post("/token", data=body, content_type=content_type)

    assert (201, True, True) == (
        answer.status_code,
        answer.get_json()["room_name"].startswith("room-"),
        answer.get_json()["participant_identity"].startswith("human-"),
    )


def test_nobody_can_guess_the_room_of_another(client: FlaskClient) -> None:
    """A room's name is all that one needs to join it where TOKEN_AUTH is none."""
    answers = [client.post("/token").get_json() for _ in range(50)]

    names = {answer["room_name"] for answer in answers}
    identities = {answer["participant_identity"] for answer in answers}
    assert (50, 50, True) == (len(names), len(identities), min(map(len, names | identities)) > 20)


def test_get_answers_the_same_with_200(client: FlaskClient) -> None:
    """For curl and frontends of one line."""
    answer = client.get("/token?room_name=kitchen&participant_identity=alice&participant_name=")

    assert (200, "no-store", "kitchen", "alice") == (
        answer.status_code,
        answer.headers["Cache-Control"],
        answer.get_json()["room_name"],
        answer.get_json()["participant_identity"],
    )


def test_get_without_a_query_leaves_all_to_us(client: FlaskClient) -> None:
    """As an empty POST does."""
    assert 200 == client.get("/token").status_code


def test_head_answers_without_a_body(client: FlaskClient) -> None:
    """Monitors ask with HEAD, and Flask answers it wherever there is a GET."""
    answer = client.head("/token")

    assert (200, b"", "no-store") == (
        answer.status_code,
        answer.data,
        answer.headers["Cache-Control"],
    )


def test_the_room_is_made_and_followed(
    client: FlaskClient, rooms: FakeLiveKit, keeper: RecordingKeeper
) -> None:
    """The room first, so that the join finds it; from then on the keeper sees to it."""
    client.post("/token", json=ALL_FIELDS)

    assert (["create_room"], [("kitchen", 600.0, True)]) == (
        rooms.calls,
        [(name, seconds, is_new) for name, _, seconds, is_new in keeper.followed],
    )


def test_a_caller_may_ask_for_another_allowed_agent() -> None:
    """AGENT_NAMES: one server, several agents."""
    asked = {"room_config": {"agents": [{"agentName": "tutor"}]}}

    answer = client_for(AGENT_NAMES="tutor").post("/token", json=asked)

    token = answer.get_json()["participant_token"]
    assert [AgentOrder(agent_name="tutor")] == agents_of(token)


def token_with(metadata: str, dispatch: str = "join") -> str:
    """Fetch a token whose agent is told this."""
    asked = {"room_config": {"agents": [{"metadata": metadata}]}}
    client = client_for(AGENT_DISPATCH=dispatch)
    answer = client.post("/token", json={**ALL_FIELDS, **asked})
    assert 201 == answer.status_code, answer.get_data(as_text=True)
    return str(answer.get_json()["participant_token"])


@pytest.mark.parametrize("dispatch", ["join", "token"])
def test_metadata_of_8_kib_makes_a_token_that_fits_into_a_url(dispatch: str) -> None:
    """Where proxies take lines of 8 KB; it is in the token once, and nobody can read it there."""
    token = token_with(LONG_METADATA, dispatch)

    order = AgentOrder(agent_name=AGENT_NAME, metadata=LONG_METADATA)
    assert 8192 == len(LONG_METADATA.encode())
    assert len(token) + CLIENTS_OWN <= 8192
    assert ([AgentOrder(agent_name="")], order) == (agents_of(token), order_in_ticket_of(token))


def test_metadata_of_3_kb_makes_a_shorter_token_than_livekits_own() -> None:
    """Which has it once, as it is."""
    metadata = LONG_METADATA[:3000]
    dispatch = RoomAgentDispatch(agent_name=AGENT_NAME, metadata=metadata)
    theirs = AccessToken(API_KEY, API_SECRET).with_room_config(RoomConfiguration(agents=[dispatch]))

    assert len(token_with(metadata)) < 0.75 * len(theirs.to_jwt())


@pytest.mark.parametrize("letter", ["я", "語", "🍳"])
def test_any_language_takes_its_bytes_and_no_more(letter: str) -> None:
    """Escaped, a letter of two bytes takes six."""
    named = {**ALL_FIELDS, "participant_metadata": letter * (3000 // len(letter.encode()))}

    token = client_for().post("/token", json=named).get_json()["participant_token"]

    assert (named["participant_metadata"], True) == (claims_of(token).metadata, len(token) < 5000)


def test_a_caller_may_choose_the_dispatchs_options_where_the_operator_allows_it() -> None:
    """As livekit-client's option `deployment` and Android's attributes write them."""
    agent = {"metadata": "be brief", "deployment": "canary", "attributes": {"table": "7"}}

    asked = {"room_config": {"agents": [agent]}}
    answer = client_for(DISPATCH_OPTIONS="1").post("/token", json=asked)

    order = AgentOrder(
        agent_name=AGENT_NAME,
        metadata="be brief",
        deployment="canary",
        attributes={"table": "7"},
    )
    assert order == order_in_ticket_of(answer.get_json()["participant_token"])


@pytest.fixture
def lenient() -> FlaskClient:
    """A client of a server where callers may do without an agent."""
    return client_for(AGENTLESS_TOKENS="1")


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_caller_may_do_without_an_agent_where_the_operator_allows_it(
    lenient: FlaskClient, method: str
) -> None:
    """For the person who takes over a call, or listens."""
    if method == "POST":
        answer = lenient.post("/token", json={"room_name": "kitchen", "agentless": True})
    else:
        answer = lenient.get("/token?room_name=kitchen&agentless=true")

    token = answer.get_json()["participant_token"]
    assert ([], None, "kitchen") == (
        agents_of(token),
        order_in_ticket_of(token),
        answer.get_json()["room_name"],
    )


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"room_config": {"agents": []}}, id="protobuf's word for not set"),
        pytest.param({"agentless": False}, id="false"),
        pytest.param({"agentless": None}, id="null"),
    ],
)
@pytest.mark.parametrize("setting", ["0", "1"])
def test_nobody_goes_without_an_agent_by_accident(setting: str, asked: dict[str, object]) -> None:
    """Whatever the operator allows, and whatever a language's JSON spells out."""
    answer = client_for(AGENTLESS_TOKENS=setting).post("/token", json=asked)

    token = answer.get_json()["participant_token"]
    assert [AgentOrder(agent_name=AGENT_NAME)] == agents_of(token)


@pytest.mark.parametrize("no", ["false", ""], ids=["false", "empty"])
def test_a_query_may_say_no(client: FlaskClient, no: str) -> None:
    """Generated clients send what is false, or empty, by default."""
    assert 200 == client.get(f"/token?agentless={no}").status_code


@pytest.mark.parametrize("value", ["1", "yes", "True", "MaRkEr"])
def test_a_query_says_yes_in_jsons_words_alone(lenient: FlaskClient, value: str) -> None:
    """The field, the rule, and never the value."""
    status, code, msg = error_of(lenient.get(f"/token?agentless={value}"))

    assert (400, "invalid_argument", True, False) == (
        status,
        code,
        msg.startswith("agentless "),
        value in msg,
    )


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_who_may_not_do_without_an_agent_is_told_the_rule(
    client: FlaskClient, rooms: FakeLiveKit, method: str
) -> None:
    """403, and the setting that decides."""
    if method == "POST":
        answer = client.post("/token", json={"agentless": True})
    else:
        answer = client.get("/token?agentless=true")

    msg = "agentless must be left out: AGENTLESS_TOKENS is 0"
    assert ((403, "permission_denied", msg), []) == (error_of(answer), rooms.calls)

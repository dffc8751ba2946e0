"""/openapi.json says what the server does."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.environ import settings
from tests.fakes import FakeLiveKit
from tests.http.clients import client_for
from tests.recording_keeper import RecordingKeeper
from token_server import errors
from token_server.auth.operators import Operators
from token_server.http_api import rooms_endpoint
from token_server.http_api.app import create_app
from token_server.http_api.room_releases import RoomReleases
from token_server.keeper.wanted_agents import Policy
from token_server.state.machine_state import MachineState
from token_server.state.timeline import NOT_KEPT
from token_server.tokens.tickets import TicketSealer


def document(client: FlaskClient) -> dict[str, Any]:
    """Fetch it."""
    found: dict[str, Any] = client.get("/openapi.json").get_json()
    return found


def add_releases(app: Flask, rooms: FakeLiveKit) -> None:
    """Add what composition adds for operators, of whom there is none here."""
    releases = RoomReleases(
        livekit=rooms,
        locks=MachineState(Path("/nonexistent")),
        sealer=TicketSealer("secret"),
        policy=Policy(agent_names=("voice-agent",)),
        timeline=NOT_KEPT,
    )
    nobody = Operators((), is_demo=False)
    app.register_blueprint(rooms_endpoint.create_releases_blueprint(nobody, releases))


def test_the_document_names_what_callers_may_ask(client: FlaskClient) -> None:
    """Webhooks are LiveKit's matter, what operators read has pages of its own."""
    found = document(client)

    asked = {(path, method) for path, each in found["paths"].items() for method in each}
    assert "3.1.0" == found["openapi"]
    assert asked == {
        ("/token", "post"),
        ("/token", "get"),
        ("/rooms/{room_name}/release", "post"),
        ("/healthz", "get"),
        ("/readyz", "get"),
        ("/openapi.json", "get"),
    }


def test_what_is_described_is_routed(rooms: FakeLiveKit) -> None:
    """The document is not made of the routes, and a generated client believes it."""
    app = create_app(settings(), rooms, RecordingKeeper())
    add_releases(app, rooms)
    client = app.test_client()
    paths = document(client)["paths"]

    answers = [client.open(path, method=method) for path in paths for method in paths[path]]
    assert set() == {answer.status_code for answer in answers} & {404, 405}


def test_a_posts_body_is_the_model_that_validates_it(client: FlaskClient) -> None:
    """So that no field is described that is refused, or the other way round."""
    schemas = document(client)["components"]["schemas"]

    request = schemas["TokenRequest"]
    assert 256 == request["properties"]["participant_identity"]["maxLength"]
    assert ["", 0, [], {}, False, None] == request["additionalProperties"]["enum"]
    assert set(request["properties"]) == {
        "room_name",
        "participant_identity",
        "participant_name",
        "participant_metadata",
        "participant_attributes",
        "agentless",
        "room_config",
    }
    assert 1 == schemas["RequestedRoomConfig"]["properties"]["agents"]["maxItems"]


@pytest.mark.parametrize("setting", ["0", "1"])
def test_a_dispatchs_options_are_described_where_callers_may_choose_them(setting: str) -> None:
    """Elsewhere they are refused as any field that nobody knows."""
    schemas = document(client_for(DISPATCH_OPTIONS=setting))["components"]["schemas"]

    described = set(schemas["RequestedAgent"]["properties"]) & {"deployment", "attributes"}
    assert (setting == "1") == (described == {"deployment", "attributes"})
    assert (setting == "0") == (described == set())


def test_the_document_is_the_same_each_time(client: FlaskClient) -> None:
    """It is made once; to answer with it must not spoil it."""
    assert document(client) == document(client)


def test_a_body_may_be_left_out(client: FlaskClient) -> None:
    """TokenSource sends one, curl need not."""
    body = document(client)["paths"]["/token"]["post"]["requestBody"]

    assert not body.get("required", False)


def test_an_answer_is_as_described(client: FlaskClient) -> None:
    """Every field, and no other."""
    schemas = document(client)["components"]["schemas"]
    answer = client.post("/token").get_json()
    error = client.get("/nowhere").get_json()

    assert set(schemas["JoinAnswer"]["properties"]) == set(answer)
    assert set(schemas["Refusal"]["properties"]) == set(error)


def test_a_release_is_the_operators(client: FlaskClient) -> None:
    """Its body may be left out, and has no field that is not said."""
    found = document(client)
    release = found["paths"]["/rooms/{room_name}/release"]["post"]
    schema = found["components"]["schemas"]["ReleaseRequest"]

    assert ([{"operator": []}], False) == (
        release["security"],
        release["requestBody"].get("required", False),
    )
    assert ({"agent_name", "participant_identity"}, False) == (
        set(schema["properties"]),
        schema["additionalProperties"],
    )


def test_every_error_is_described(client: FlaskClient) -> None:
    """Whatever the caller is answered, its code and status are in the document."""
    found = document(client)
    ours = [one for one in vars(errors).values() if isinstance(one, type)]
    kinds = [one for one in ours if issubclass(one, errors.TokenServerError)]
    kinds.remove(errors.UnknownRoomError)  # of operators' requests alone

    codes = set(found["components"]["schemas"]["Refusal"]["properties"]["code"]["enum"])
    statuses = set(found["paths"]["/token"]["post"]["responses"])
    assert {errors.code_of(kind.http_status) for kind in kinds} <= codes
    assert {str(kind.http_status) for kind in kinds} <= statuses
    assert "404" in found["paths"]["/rooms/{room_name}/release"]["post"]["responses"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"TOKEN_AUTH": "none"}, None, id="none"),
        pytest.param({"TOKEN_AUTH": "key", "TOKEN_KEYS": "a-key"}, "TOKEN_KEYS", id="key"),
        pytest.param(
            {
                "TOKEN_AUTH": "jwt",
                "TOKEN_JWT_ISSUER": "https://issuer.example",
                "TOKEN_JWT_AUDIENCE": "us",
            },
            "login token",
            id="jwt",
        ),
    ],
)
def test_who_may_ask_is_described(changes: dict[str, str], expected: str | None) -> None:
    """A generated client has to know that it needs a bearer, and which."""
    app = create_app(settings(**changes), FakeLiveKit(), RecordingKeeper())
    found = document(app.test_client())

    security = found["paths"]["/token"]["post"]["security"]
    schemes = found["components"]["securitySchemes"]
    assert "OPERATOR_KEY" in schemes.pop("operator")["description"]
    if expected is None:
        assert ([], {}) == (security, schemes)
    else:
        assert ([{"caller": []}], "http", "bearer") == (
            security,
            schemes["caller"]["type"],
            schemes["caller"]["scheme"],
        )
        assert expected in schemes["caller"]["description"]


def test_the_document_holds_no_setting_that_is_secret() -> None:
    """Anybody may read it."""
    client = client_for(TOKEN_AUTH="key", TOKEN_KEYS="a-made-up-caller-key")

    text = client.get("/openapi.json").get_data(as_text=True)

    assert "a-made-up-caller-key" not in text
    assert "livekit_api" not in text.lower()

"""What a caller may not send to /token, in tables."""

import json
import secrets

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeLiveKit
from tests.http.clients import client_for, error_of
from tests.recording_keeper import RecordingKeeper

MARKER = "MaRkEr"
JSON = "application/json"


def body(**fields: object) -> bytes:
    """Return a JSON body."""
    return json.dumps(fields).encode()


def agents(*found: object) -> bytes:
    """Return a JSON body that asks for these agents."""
    return body(room_config={"agents": found})


NO_OBJECT = {
    "null": b"null",
    "a list": b'["MaRkEr"]',
    "a string": b'"MaRkEr"',
    "a number": b"17",
    "half an object": b'{"room_name": "MaRkEr"',
    "two objects": b'{}{"room_name": "MaRkEr"}',
    "no JSON": b"room_name=MaRkEr",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"room_name": "MaRkEr"}'.encode("utf-16"),
    "invalid UTF-8": b'{"room_name": "MaRkEr\xff"}',
    "a lone surrogate": b'{"room_name": "MaRkEr\\ud800"}',
    "a lone surrogate as key": b'{"\\ud800": "MaRkEr"}',
    "30,000 brackets": b"[" * 30_000,
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a number of 5,000 digits": b'{"room_name": ' + b"9" * 5_000 + b"}",
}
NAMES = ("room_name", "participant_identity", "participant_name")
TEXTS = (*NAMES, "participant_metadata")
WRONG_TYPES: tuple[object, ...] = (17, 1.5, True, [MARKER], {"a": MARKER})
# Python takes these for equal to "nothing given"; the caller has a bug all the same.
EMPTY_TYPES: tuple[object, ...] = (0, False, [])
NOT_BOOLEAN: tuple[object, ...] = (0, 1, "", "true", MARKER, [], {})
EMPTY_BUT_WRONG = {
    **{
        f"{name} is {value!r}": (name, body(**{name: value}))
        for name in (*TEXTS, "participant_attributes", "room_config")
        for value in EMPTY_TYPES
    },
    **{f"{name} is {{}}": (name, body(**{name: {}})) for name in TEXTS},
}
FIELDS = {
    **{
        f"{name} is {value!r}": (name, body(**{name: value}))
        for name in TEXTS
        for value in WRONG_TYPES
    },
    **{
        f"{name} with {label}": (name, body(**{name: f"{MARKER}{character}x"}))
        for name in NAMES
        for label, character in {
            "NUL": "\0",
            "newline": "\n",
            "escape": "\x1b",
            "C1 control": "\x85",
            "right-to-left override": "\u202e",
            "zero width space": "\u200b",
            "private use": "\ue000",
        }.items()
    },
    **{f"{name} of 257 bytes": (name, body(**{name: "é" * 128 + "x"})) for name in NAMES},
    **{f"{name} with a space around": (name, body(**{name: f" {MARKER}"})) for name in NAMES},
    "metadata of 8193 bytes": ("participant_metadata", body(participant_metadata="é" * 4096 + "x")),
    "attributes over 8192 bytes": (
        "participant_attributes",
        body(participant_attributes={"a": "é" * 4096}),
    ),
    **{
        f"identity {prefix}": ("participant_identity", body(participant_identity=prefix + MARKER))
        for prefix in ("agent-", "sip_", "sip_+1555", "EG_")
    },
    **{
        f"attributes are {value!r}": ("participant_attributes", body(participant_attributes=value))
        for value in (17, True, MARKER, [["a", MARKER]])
    },
    **{
        f"an attribute is {value!r}": (
            "participant_attributes.a",
            body(participant_attributes={"a": value}),
        )
        for value in (17, None, True, {"b": MARKER})
    },
    **{
        f"attribute {key}": ("participant_attributes", body(participant_attributes={key: MARKER}))
        for key in ("lk.agent.name", "lk.", "token_server.ticket", "sip.phoneNumber", "ingress.x")
    },
    **{f"agentless is {value!r}": ("agentless", body(agentless=value)) for value in NOT_BOOLEAN},
    "an agent, and none": (
        "room_config",
        body(agentless=True, room_config={"agents": [{"metadata": MARKER}]}),
    ),
    **{
        f"unknown field {name}": (name, body(**{name: MARKER}))
        for name in ("roomName", "participantIdentity", "ttl", "admin", "video")
    },
}
ROOM_CONFIG = {
    **{
        f"room_config is {value!r}": ("room_config", body(room_config=value))
        for value in (17, True, MARKER, [MARKER])
    },
    **{
        f"room_config.{name}": (f"room_config.{name}", body(room_config={name: value}))
        for name, value in {
            "name": MARKER,
            "egress": {"room": {"file_outputs": [{"filepath": MARKER}]}},
            "metadata": MARKER,
            "empty_timeout": 60,
            "emptyTimeout": 60,
            "max_participants": 1,
            "tags": {MARKER: MARKER},
            "agents": MARKER,
        }.items()
    },
    "two agents": ("room_config.agents", agents({}, {})),
    "an agent that is null": ("room_config.agents.0", agents(None)),
    "an agent that is a string": ("room_config.agents.0", agents(MARKER)),
    "an agent named by a number": ("room_config.agents.0", agents({"agent_name": 17})),
    "agent metadata of 8193 bytes": (
        "room_config.agents.0.metadata",
        agents({"metadata": "x" * 8193}),
    ),
    "agent metadata of control characters": (
        "room_config.agents.0.metadata",
        agents({"metadata": MARKER + "\0" * 6000}),
    ),
    "a restart policy": ("room_config.agents.0", agents({"restart_policy": "JRP_ON_FAILURE"})),
    "a deployment": ("room_config.agents.0.deployment", agents({"deployment": MARKER})),
}


@pytest.mark.parametrize("unverified_body", NO_OBJECT.values(), ids=NO_OBJECT.keys())
def test_what_is_no_json_object_is_refused(client: FlaskClient, unverified_body: bytes) -> None:
    """A 400 that says so, whatever the parser would do with it."""
    answer = client.post("/token", data=unverified_body, content_type="application/json")

    status, code, msg = error_of(answer)
    assert (400, "invalid_argument", "no-store") == (status, code, answer.headers["Cache-Control"])
    assert (True, False) == (msg.startswith("body "), MARKER in msg)


@pytest.mark.parametrize(
    ("field", "unverified_body"),
    [pytest.param(*row, id=label) for label, row in (FIELDS | ROOM_CONFIG).items()],
)
def test_a_bad_field_is_refused_by_its_name(
    client: FlaskClient, field: str, unverified_body: bytes
) -> None:
    """The caller learns which field and which rule; the log never learns the value."""
    answer = client.post("/token", data=unverified_body, content_type="application/json")

    status, code, msg = error_of(answer)
    assert (400, "invalid_argument", "no-store") == (status, code, answer.headers["Cache-Control"])
    assert (True, False) == (msg.removeprefix("'").startswith(field), MARKER in msg)


def test_an_agent_that_callers_may_not_have_is_refused_by_its_name(
    client: FlaskClient, rooms: FakeLiveKit
) -> None:
    """The name breaks no rule: 403. Which there are is not said to everybody."""
    answer = client.post("/token", json={"room_config": {"agents": [{"agent_name": MARKER}]}})

    status, code, msg = error_of(answer)
    assert (403, "permission_denied", []) == (status, code, rooms.calls)
    assert (True, False) == (msg.startswith("room_config.agents.0.agent_name"), MARKER in msg)


@pytest.mark.parametrize(
    ("field", "unverified_body"), EMPTY_BUT_WRONG.values(), ids=EMPTY_BUT_WRONG.keys()
)
def test_a_wrong_type_is_refused_even_if_it_is_empty(
    client: FlaskClient, field: str, unverified_body: bytes
) -> None:
    """`"room_name": []` is a caller's bug, and a room of our choice would hide it."""
    answer = client.post("/token", data=unverified_body, content_type="application/json")

    assert (400, True) == (answer.status_code, answer.get_json().get("msg", "").startswith(field))


def random_text(length: int) -> str:
    """Return what cannot be packed, and a marker."""
    return MARKER + secrets.token_urlsafe(length)[: length - len(MARKER)]


TOO_LONG = {
    "room_config.agents.0.metadata": agents({"metadata": random_text(6000)}),
    # Six bytes each, in JSON.
    "room_config.agents.0.attributes": agents({"attributes": {"a": "\0" * 1000}}),
    "participant_metadata": body(participant_metadata=random_text(5000)),
    "participant_attributes": body(participant_attributes={"a": random_text(5000)}),
}
# In a token a quote takes two bytes, and what packs well next to none.
QUOTES = '"' * 3200
ROOM_WITH_LONG = {"agents": [{"metadata": random_text(3600)}]}
ROOM_WITH_ZEROS = {"agents": [{"metadata": "a" * 8000, "attributes": {"a": "\0" * 1000}}]}


MOST = {name: (name, unverified_body) for name, unverified_body in TOO_LONG.items()} | {
    "quotes": (
        "participant_metadata",
        body(participant_metadata=QUOTES, room_config=ROOM_WITH_LONG),
    ),
    "zeros": ("room_config.agents.0.attributes", body(room_config=ROOM_WITH_ZEROS)),
}


@pytest.mark.parametrize(("field", "unverified_body"), MOST.values(), ids=MOST)
def test_what_would_make_too_long_a_token_is_refused_by_its_name(
    rooms: FakeLiveKit, field: str, unverified_body: bytes
) -> None:
    """Clients send the token in a URL, and proxies would answer 414 to it, each time."""
    client = client_for(rooms, DISPATCH_OPTIONS="1")

    answer = client.post("/token", data=unverified_body, content_type="application/json")

    status, code, msg = error_of(answer)
    assert (400, "invalid_argument", []) == (status, code, rooms.calls)
    assert (True, True, False) == (
        msg.startswith(f"{field} is too long: the token"),
        "at most 7000 get through" in msg,
        MARKER in msg,
    )


DEPLOYMENTS = {
    "65 bytes": "x" * 65,
    "a space": "new version",
    "a space behind it": "canary ",
    "what LiveKit reserves": "new_version",
    "a newline": "new\nversion",
    "a zero width space": "new\u200bversion",
}


@pytest.mark.parametrize("deployment", DEPLOYMENTS.values(), ids=DEPLOYMENTS.keys())
def test_a_deployment_that_livekit_would_refuse_is_refused(deployment: str) -> None:
    """Or the keeper would try to send it again and again, while the human waits."""
    client = client_for(DISPATCH_OPTIONS="1")

    answer = client.post("/token", data=agents({"deployment": deployment}), content_type=JSON)

    status, _, msg = error_of(answer)
    assert (400, True) == (status, msg.startswith("room_config.agents.0.deployment must "))


def test_a_jobs_attributes_are_short() -> None:
    """What is long is metadata, which is packed."""
    client = client_for(DISPATCH_OPTIONS="1")

    answer = client.post("/token", data=agents({"attributes": {"a": "é" * 512}}), content_type=JSON)

    msg = "room_config.agents.0.attributes must be at most 1024 bytes in all"
    assert (400, "invalid_argument", msg) == error_of(answer)


@pytest.mark.parametrize("name", ["lk.simulator.dispatch", "token_server.ticket", "sip.callID"])
def test_a_jobs_attributes_do_not_pass_for_livekits(name: str) -> None:
    """Agents believe them: the first makes livekit-agents take the call for a simulation."""
    client = client_for(DISPATCH_OPTIONS="1")

    answer = client.post("/token", data=agents({"attributes": {name: "x"}}), content_type=JSON)

    status, _, msg = error_of(answer)
    assert (400, True) == (status, msg.startswith("room_config.agents.0.attributes keys must "))


def test_nothing_happens_for_a_bad_request(
    client: FlaskClient, rooms: FakeLiveKit, keeper: RecordingKeeper
) -> None:
    """Neither a room nor a follower for what is refused."""
    client.post("/token", json={"room_name": "a\nb"})

    assert ([], []) == (rooms.calls, keeper.followed)

"""What /token refuses before or beside the fields: media types, sizes, queries."""

import pytest
from flask.testing import FlaskClient

from tests.http.clients import error_of

LIMIT = 64 * 1024


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param(None, id="none"),
        pytest.param("text/plain", id="text"),
        pytest.param("application/x-www-form-urlencoded", id="a form"),
        pytest.param("multipart/form-data; boundary=x", id="multipart"),
        pytest.param("application", id="half a type"),
    ],
)
def test_a_body_has_to_be_declared_as_json(client: FlaskClient, content_type: str | None) -> None:
    """A browser sends text/plain to other origins without asking first (CORS)."""
    answer = client.post("/token", data=b"{}", content_type=content_type)

    assert (415, "invalid_argument", "Content-Type must be application/json") == error_of(answer)
    assert "no-store" == answer.headers["Cache-Control"]


def test_a_body_up_to_the_limit_is_read(client: FlaskClient) -> None:
    """All fields at their longest fit with room to spare."""
    answer = client.post("/token", data=b"{}" + b" " * (LIMIT - 2), content_type="application/json")

    assert 201 == answer.status_code


def test_a_huge_body_is_refused(client: FlaskClient) -> None:
    """It would cost memory for nothing."""
    answer = client.post("/token", data=b"{}" + b" " * LIMIT, content_type="application/json")

    status, code, _ = error_of(answer)
    assert (413, "invalid_argument") == (status, code)


def test_a_huge_body_is_refused_with_its_rule(client: FlaskClient) -> None:
    """The field (the body) and the limit, as with every other refusal."""
    answer = client.post("/token", data=b"{}" + b" " * LIMIT, content_type="application/json")

    _, _, msg = error_of(answer)
    assert (True, True) == (msg.startswith("body"), str(LIMIT) in msg)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param("room_name=MaRkEr&room_name=MaRkEr", "room_name", id="repeated"),
        pytest.param("room_name=&room_name=", "room_name", id="repeated and empty"),
        pytest.param("room=MaRkEr", "room", id="unknown"),
        pytest.param("roomName=MaRkEr", "roomName", id="camelCase"),
        pytest.param("token=MaRkEr", "token", id="a key in the query"),
        pytest.param("room_name=MaRkEr%00", "room_name", id="NUL"),
        pytest.param("room_name=MaRkEr%0a", "room_name", id="newline"),
        pytest.param("room_name=%20MaRkEr", "room_name", id="space"),
        pytest.param("room_name=" + "%C3%A9" * 129, "room_name", id="over-long"),
        pytest.param("participant_identity=agent-MaRkEr", "participant_identity", id="reserved"),
        pytest.param("participant_attributes=MaRkEr", "participant_attributes", id="attributes"),
        pytest.param("room_config=MaRkEr", "room_config", id="room_config"),
    ],
)
def test_a_bad_query_is_refused_by_its_field(client: FlaskClient, query: str, field: str) -> None:
    """The same rules as for a POST."""
    answer = client.get(f"/token?{query}")

    status, code, msg = error_of(answer)
    assert (400, "invalid_argument", "no-store") == (status, code, answer.headers["Cache-Control"])
    assert (True, False) == (msg.replace("'", "").startswith(field), "MaRkEr" in msg)


@pytest.mark.parametrize("field", ["room_config", "participant_attributes"])
def test_what_a_query_cannot_carry_is_said_in_the_callers_words(
    client: FlaskClient, field: str
) -> None:
    """The names of Python types and of our classes help nobody who reads an HTTP answer."""
    _, _, msg = error_of(client.get(f"/token?{field}=x"))

    assert [] == [word for word in ("dictionary", "instance", "Requested") if word in msg]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_another_method_is_refused_as_json(client: FlaskClient, method: str) -> None:
    """With the Allow header that HTTP wants."""
    answer = client.open("/token", method=method)

    status, code, _ = error_of(answer)
    allowed = set(answer.headers["Allow"].split(", "))
    assert (405, "bad_route", {"GET", "HEAD", "OPTIONS", "POST"}) == (status, code, allowed)


@pytest.mark.parametrize("method", ["PUT", "POST"], ids=["405", "413"])
def test_no_refusal_of_a_token_is_cached(client: FlaskClient, method: str) -> None:
    """A 405 may be kept by a cache unless it says otherwise (RFC 9110, 15.1)."""
    answer = client.open("/token", method=method, data=b" " * (LIMIT + 1))

    assert (True, "no-store") == (
        answer.status_code >= 400,
        answer.headers.get("Cache-Control"),
    )

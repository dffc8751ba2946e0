"""Who may ask, as far as the header goes."""

import hashlib

import pytest

from token_server.auth.callers import CallerKeys, Callers, restrict
from token_server.auth.logins import Caller
from token_server.errors import PermissionDeniedError, UnauthenticatedError
from token_server.tokens.token_request import TokenRequest

ALICE = Caller(name="alice", participant_identity="alice", participant_name="Alice")
HASHED = f"sha256:{hashlib.sha256(b'one').hexdigest()}"


def test_with_none_anybody_may_ask() -> None:
    """Said explicitly by the operator, and never a default."""
    assert Caller() == Callers().check("")


@pytest.mark.parametrize("keys", [["one", "two"], [HASHED, "two"]], ids=["as given", "hashed"])
def test_keys_are_told_apart(keys: list[str]) -> None:
    """So that each has its own rate limit; a hash in the settings gives nothing away."""
    callers = Callers(keys=CallerKeys(keys))

    assert ["key 0", "key 1"] == [callers.check(f"Bearer {key}").name for key in ("one", "two")]


def test_the_hash_itself_is_no_key() -> None:
    """Whoever has read the settings cannot ask."""
    with pytest.raises(UnauthenticatedError):
        Callers(keys=CallerKeys([HASHED])).check(f"Bearer {HASHED}")


@pytest.mark.parametrize("header", ["Bearer ", "Bearer é", "Bearer \udcff", "Basic one"])
def test_without_any_key_nobody_gets_in(header: str) -> None:
    """An empty list is not an open door."""
    with pytest.raises(UnauthenticatedError):
        Callers(keys=CallerKeys([])).check(header)


def test_a_caller_joins_as_who_they_are() -> None:
    """Whatever the frontend leaves out comes from the login."""
    request = restrict(TokenRequest(room_name="kitchen", participant_name="Alice"), ALICE)

    assert ("kitchen", "alice", "Alice") == (
        request.room_name,
        request.participant_identity,
        request.participant_name,
    )


@pytest.mark.parametrize("field", ["participant_identity", "participant_name"])
def test_a_caller_cannot_join_as_somebody_else(field: str) -> None:
    """The message names the field, and not what was asked for."""
    with pytest.raises(PermissionDeniedError, match=f"^{field} ") as refused:
        restrict(TokenRequest.model_validate({field: "MaRkEr"}), ALICE)

    assert "MaRkEr" not in str(refused.value)


def test_whose_login_has_no_name_has_none() -> None:
    """Else anybody with a login could call themselves "Support Admin"."""
    nameless = Caller(participant_identity="b", participant_name="")

    with pytest.raises(PermissionDeniedError, match=r"^participant_name .* has none$") as refused:
        restrict(TokenRequest(participant_name="MaRkEr"), nameless)

    assert "" == restrict(TokenRequest(), nameless).participant_name
    assert "MaRkEr" not in str(refused.value)


def test_who_has_a_key_may_choose_any_name() -> None:
    """A backend knows whose it is."""
    request = restrict(TokenRequest(participant_name="Bob"), Caller(name="key 0"))

    assert "Bob" == request.participant_name


@pytest.mark.parametrize(
    "asked", [{"participant_metadata": "MaRkEr"}, {"participant_attributes": {"role": "MaRkEr"}}]
)
def test_metadata_can_be_taken_from_callers(asked: dict[str, object]) -> None:
    """Who reads it in the room may believe it is somebody's word, and it is the caller's own."""
    request = TokenRequest.model_validate(asked)

    with pytest.raises(PermissionDeniedError, match=f"^{next(iter(asked))} ") as refused:
        restrict(request, Caller(may_choose_metadata=False))

    assert "MaRkEr" not in str(refused.value)
    assert request == restrict(request, Caller())

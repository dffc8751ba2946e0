"""Who may ask for a token."""

import pytest

from token_server.callers import Callers
from token_server.errors import UnauthenticatedError
from token_server.settings import TokenAuth


@pytest.mark.parametrize("authorization", ["", "Bearer x", "nonsense"])
def test_without_auth_anybody_may(authorization: str) -> None:
    """TOKEN_AUTH=none, where something in front of us has checked already."""
    callers = Callers(TokenAuth.NONE, ["one"])

    callers.check(authorization)


@pytest.mark.parametrize("authorization", ["Bearer one", "Bearer two", "bearer one", "Bearer  one"])
def test_a_bearer_of_a_key_may(authorization: str) -> None:
    """Several keys are several callers, or an old and a new one."""
    callers = Callers(TokenAuth.KEY, ["one", "two"])

    callers.check(authorization)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer three", "Bearer ONE", "Basic one", "one", "Bearer one two"],
)
def test_anybody_else_may_not(authorization: str) -> None:
    """And is not told what was wrong with the key."""
    callers = Callers(TokenAuth.KEY, ["one", "two"])

    with pytest.raises(UnauthenticatedError, match=r"^Authorization must be 'Bearer' and one"):
        callers.check(authorization)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer "])
def test_without_any_key_nobody_may(authorization: str) -> None:
    """Settings refuse it; if they did not, an empty list would be no open door."""
    callers = Callers(TokenAuth.KEY)

    with pytest.raises(UnauthenticatedError):
        callers.check(authorization)

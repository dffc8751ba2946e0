"""Who may see what is for the operator alone."""

import hashlib

import pytest

from tests.environ import settings
from token_server.auth.operators import Operators
from token_server.errors import PermissionDeniedError, UnauthenticatedError

KEYED = Operators(["one", "two"], is_demo=True)
KEYLESS = Operators([], is_demo=False)
AT_HOME = Operators([], is_demo=True)


@pytest.mark.parametrize("header", ["Bearer one", "bearer two", "BEARER  one "])
def test_each_key_lets_the_operator_in(header: str) -> None:
    """From anywhere: Prometheus runs on another machine."""
    KEYED.check({"Authorization": header}, "203.0.113.9")


def test_a_key_may_be_kept_as_its_hash() -> None:
    """As those of callers: the settings then do not give it away."""
    hashed = Operators([f"sha256:{hashlib.sha256(b'one').hexdigest()}"], is_demo=False)

    hashed.check({"Authorization": "Bearer one"}, "203.0.113.9")


def test_the_keys_are_a_setting_that_does_not_show() -> None:
    """Settings end up in logs and tracebacks."""
    found = settings(OPERATOR_KEY="an-operator-key, another")

    assert (("an-operator-key", "another"), False) == (
        found.operator_keys,
        "an-operator-key" in repr(found),
    )


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer three", "Basic one", "one"])
def test_with_keys_set_this_machine_needs_one_too(header: str) -> None:
    """Behind a proxy everybody comes from this machine."""
    with pytest.raises(UnauthenticatedError, match=r"^Authorization must be 'Bearer' and a key"):
        KEYED.check({"Authorization": header}, "127.0.0.1")


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer x"])
def test_without_keys_nobody_gets_in(header: str) -> None:
    """And the operator reads what to set."""
    with pytest.raises(PermissionDeniedError, match="OPERATOR_KEY must be set"):
        KEYLESS.check({"Authorization": header}, "127.0.0.1")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_make_dev_shows_them_on_this_machine(address: str) -> None:
    """One command, and `curl` shows them."""
    AT_HOME.check({}, address)


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        pytest.param({}, "192.168.1.2", id="another machine"),
        pytest.param({}, None, id="a socket without address"),
        pytest.param({}, "", id="an empty address"),
        pytest.param({}, "localhost", id="a name"),
        pytest.param({"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", id="through a proxy"),
        pytest.param({"X-Real-Ip": "203.0.113.9"}, "127.0.0.1", id="through nginx"),
        pytest.param({"Forwarded": "for=_x"}, "127.0.0.1", id="through RFC 7239"),
        pytest.param({"Via": "1.1 x"}, "127.0.0.1", id="through a gateway"),
    ],
)
def test_make_dev_shows_them_nowhere_else(headers: dict[str, str], address: str | None) -> None:
    """DEMO=1 on a machine that others reach, or through a tunnel."""
    with pytest.raises(PermissionDeniedError):
        AT_HOME.check(headers, address)

"""Where the token server listens, and where its own machine finds it."""

import pytest

from shared_settings.token_server_url import address, running_server_url
from tests.environ import settings

HOSTS = {
    "all of IPv4": ("0.0.0.0", "0.0.0.0:8080", "http://127.0.0.1:8080"),  # noqa: S104
    "loopback": ("127.0.0.1", "127.0.0.1:8080", "http://127.0.0.1:8080"),
    "another loopback": ("127.0.0.2", "127.0.0.2:8080", "http://127.0.0.2:8080"),
    "all": ("::", "[::]:8080", "http://[::1]:8080"),
    "all, in brackets": ("[::]", "[::]:8080", "http://[::1]:8080"),
    "IPv6's loopback": ("::1", "[::1]:8080", "http://[::1]:8080"),
    "IPv6's loopback, in brackets": ("[::1]", "[::1]:8080", "http://[::1]:8080"),
    "an address of the network": ("2001:db8::1", "[2001:db8::1]:8080", "http://127.0.0.1:8080"),
    "a name": ("localhost", "localhost:8080", "http://127.0.0.1:8080"),
    "a name of the network": ("web.example", "web.example:8080", "http://127.0.0.1:8080"),
}


@pytest.mark.parametrize(("host", "bound", "url"), HOSTS.values(), ids=HOSTS.keys())
def test_what_listens_on_a_host_is_found_on_its_machine(host: str, bound: str, url: str) -> None:
    """Commands and workers send keys there, so to no host but this one."""
    found = settings(HOST=host)

    assert (bound, url, url) == (
        address(found.host, found.port),
        running_server_url("", found.port, found.host),
        running_server_url("", "", host),
    )


def test_an_address_that_is_given_goes_before() -> None:
    """The server is on another machine."""
    assert "https://a.example/x" == running_server_url("https://a.example/x/", 8080, "::1")


def test_a_host_that_cannot_be_is_no_matter_of_who_asks() -> None:
    """The server itself refuses it."""
    assert "http://127.0.0.1:80" == running_server_url("", 80, "no host")

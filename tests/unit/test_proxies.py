"""Which proxy leads where, as other programs read the three variables."""

import pytest

from token_server.proxies import Proxies, is_loopback, proxy_setting

PROXY, TLS_PROXY = "http://user:MaRkEr@proxy.example:3128", "http://tls-proxy.example:3128"
CAPITALS = {"HTTP_PROXY": PROXY, "HTTPS_PROXY": TLS_PROXY}

DIRECT = {
    "a host": "livekit.example",
    "one of several": "x.example , LiveKit.example",
    "all below a name": "example",
    "a name with a dot": ".example",
    "a name with a star": "*.example",
    "its port": "livekit.example:7443",
    "a name with its port": ".example:7443",
    "all": "*",
    "all of a port": "*:7443",
}
NOT_DIRECT = {
    "nobody": "",
    "only commas": ",, ",
    "another host": "other.example",
    "a name that only ends so": "ivekit.example",
    "another port": "livekit.example:443",
    "a port alone": ":7443",
    "a port of letters": "livekit.example:https",
    "a URL": "https://livekit.example",
    "an address": "10.0.0.0/8",
}
ADDRESSES = {
    "IPv4": ("wss://10.1.2.3", "10.1.2.3", True),
    "IPv4 and its usual port": ("wss://10.1.2.3", "10.1.2.3:443", True),
    "IPv4 and another port": ("wss://10.1.2.3", "10.1.2.3:80", False),
    "a network": ("wss://10.1.2.3", "10.0.0.0/8", True),
    "another network": ("wss://10.1.2.3", "11.0.0.0/8", False),
    "IPv6": ("wss://[2001:db8::1]", "2001:db8::1", True),
    "IPv6 in brackets": ("wss://[2001:db8::1]", "[2001:db8::1]", True),
    "IPv6 and its port": ("wss://[2001:db8::1]:7443", "[2001:db8::1]:7443", True),
    "IPv6 and another port": ("wss://[2001:db8::1]:7443", "[2001:db8::1]:443", False),
    "an IPv6 network": ("wss://[2001:db8::1]", "2001:db8::/32", True),
}


@pytest.mark.parametrize("no_proxy", DIRECT.values(), ids=DIRECT.keys())
def test_who_is_in_no_proxy_is_asked_straight(no_proxy: str) -> None:
    """A LiveKit in the house, with a proxy for all the rest."""
    proxies = Proxies.from_environ(CAPITALS | {"NO_PROXY": no_proxy})

    assert "" == proxies.to("wss://livekit.example:7443/path")


@pytest.mark.parametrize("no_proxy", NOT_DIRECT.values(), ids=NOT_DIRECT.keys())
def test_nobody_else_is(no_proxy: str) -> None:
    """There is no other way out."""
    proxies = Proxies.from_environ(CAPITALS | {"NO_PROXY": no_proxy})

    assert TLS_PROXY == proxies.to("wss://livekit.example:7443/path")


@pytest.mark.parametrize(("url", "no_proxy", "is_direct"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_addresses_and_networks_are_told_apart(
    url: str,
    no_proxy: str,
    is_direct: bool,  # noqa: FBT001
) -> None:
    """A colon begins a port in one, and is part of the address in another."""
    found = Proxies.from_environ(CAPITALS | {"NO_PROXY": no_proxy}).to(url)

    assert ("" if is_direct else TLS_PROXY) == found


@pytest.mark.parametrize(
    ("url", "proxy", "setting"),
    [
        ("wss://a.example", TLS_PROXY, "HTTPS_PROXY"),
        ("https://a.example", TLS_PROXY, "HTTPS_PROXY"),
        ("ws://a.example", PROXY, "HTTP_PROXY"),
        ("http://a.example:8080/x", PROXY, "HTTP_PROXY"),
    ],
)
def test_tls_has_a_proxy_of_its_own(url: str, proxy: str, setting: str) -> None:
    """And an operator reads by its name which of the two it was."""
    assert (proxy, setting) == (Proxies.from_environ(CAPITALS).to(url), proxy_setting(url))


def test_small_letters_go_before_capitals() -> None:
    """Most programs believe them, and an empty one turns the proxy off."""
    small = {"https_proxy": "small.example:1", "http_proxy": "", "no_proxy": "b.example"}
    proxies = Proxies.from_environ(CAPITALS | {"NO_PROXY": "*"} | small)

    assert ("http://small.example:1", "", "") == (
        proxies.to("https://a.example"),
        proxies.to("http://a.example"),
        proxies.to("https://b.example"),
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.53", "[::1]"])
def test_this_machine_needs_no_proxy(host: str) -> None:
    """A proxy would look for it on its own machine."""
    assert "" == Proxies.from_environ(CAPITALS).to(f"http://{host}:8080")


def test_a_proxys_password_is_not_shown() -> None:
    """In a traceback, say."""
    assert "MaRkEr" not in repr(Proxies.from_environ(CAPITALS))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_known_however_it_is_listened_to(address: str) -> None:
    """Who listens on `::` sees IPv4's addresses as IPv6's."""
    assert (True, False) == (is_loopback(address), is_loopback("::ffff:10.0.0.1"))

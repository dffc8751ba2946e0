"""Which HTTP proxy leads to a server, by HTTPS_PROXY, HTTP_PROXY and NO_PROXY. No I/O."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_NAMES = {"https_proxy", "http_proxy", "no_proxy"}
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
# HOST, HOST:PORT, [IPV6] or [IPV6]:PORT; an IPv6 address may also have no brackets.
_ENTRY = re.compile(r"\[(?P<six>[^]]*)\](?::(?P<port6>\d+))?|(?P<host>[^:]*)(?::(?P<port>\d+))?")
# Of http.client, for what a proxy has said to CONNECT; its own words stay out.
_REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that this is, IPv4's where it is only written as IPv6's; None if none."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    # What listens on `::` sees IPv4 addresses so.
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def is_loopback(address: str) -> bool:
    """Whether this is an address, and of this machine itself."""
    found = address_of(address)
    return found is not None and found.is_loopback


def in_capitals(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, where https_proxy stands for HTTPS_PROXY: most believe the former."""
    return {**environ, **{name.upper(): environ[name] for name in _NAMES & set(environ)}}


@dataclass(frozen=True, kw_only=True)
class Proxies:
    """The proxies of the environment.

    Attributes:
        https: Leads to https:// and wss://: http://USER:PASSWORD@HOST:PORT; "" for none.
        http: Leads to http:// and ws://.
        no: Which hosts need none, separated by commas: `*`, an address, a network (10.0.0.0/8), or
            a name with all below it (example.com, .example.com, *.example.com); each may have a
            port (example.com:8443), and means that port alone then.
    """

    https: str = field(default="", repr=False)
    http: str = field(default="", repr=False)
    no: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Proxies":
        """Read them from variables, of which nothing else has to be right."""
        given = in_capitals(environ)
        names = {"https": "HTTPS_PROXY", "http": "HTTP_PROXY", "no": "NO_PROXY"}
        return cls(**{key: given.get(name, "").strip() for key, name in names.items()})

    def to(self, url: str) -> str:
        """Return the URL of the proxy that leads there; "" for none. Loopback never needs one.

        Nothing leads to what is no URL: whoever asks there says so.
        """
        try:
            server = urlsplit(url)
            host, port = server.hostname or "", server.port or _PORTS.get(server.scheme)
        except ValueError:
            return ""
        direct = (entry.strip().lower() for entry in self.no.split(","))
        if host in LOOPBACK or is_loopback(host) or any(_covers(e, host, port) for e in direct):
            return ""
        proxy = self.https if _has_tls(url) else self.http
        return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def proxy_setting(url: str) -> str:
    """Return the name of the setting that has the proxy to this URL."""
    return "HTTPS_PROXY" if _has_tls(url) else "HTTP_PROXY"


def through(url: str, proxy: str) -> str:
    """Return the words that name the proxy of a call that has failed; "" if there is none."""
    return f" through the proxy of {proxy_setting(url)}" if proxy else ""


def reason_of(error: Exception) -> str:
    """Return why a call has failed: no text of anybody's, which may repeat what we have sent."""
    refused = refused_tunnel(error)
    return f"the proxy answers {refused}" if refused else type(error).__name__


def refused_tunnel(error: Exception) -> str:
    """Return with which status a proxy has refused to connect us; "" if it has not."""
    refused = _REFUSED.search(str(error))
    return f"HTTP {refused[1]}" if refused else ""


def _has_tls(url: str) -> bool:
    return url.partition("://")[0].lower() in {"wss", "https"}


def _covers(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY means this host and port."""
    name, only_port = _apart(entry)
    if only_port and int(only_port) != port:
        return False
    with suppress(ValueError):
        return ip_address(host) in ip_network(name, strict=False)
    suffix = name.removeprefix("*").removeprefix(".")
    return name == "*" or (bool(suffix) and (host == suffix or host.endswith(f".{suffix}")))


def _apart(entry: str) -> tuple[str, str | None]:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        return entry, None
    return found["six"] or found["host"] or "", found["port6"] or found["port"]


def is_http_proxy(url: str) -> bool:
    """Whether this is a proxy that we can use: neither over TLS nor SOCKS."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        has_host = bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        return False
    is_plain = not (parts.path.strip("/") or parts.query or parts.fragment)
    return parts.scheme == "http" and has_host and is_plain and not set(url) & set(" \t\\")

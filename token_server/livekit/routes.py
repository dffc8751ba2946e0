"""How a server is reached, LiveKit or an issuer: straight, or through an HTTP proxy. No I/O."""

import base64
from urllib.parse import SplitResult, unquote, urlsplit

_PORTS = {"http": 80, "https": 443}


class Route:
    """The way to one server.

    Attributes:
        is_tls: Whether the server is asked over TLS.
        server_name: Whose certificate is wanted.
        host: Whom to connect to: the server, or the proxy.
        port: The port there.
        tunnel: What CONNECT has to name, and its headers; None without a tunnel.
        prefix: What stands before the path of each request.
        headers: What each request says besides its own.

    Args:
        url: http://HOST:PORT/PATH or https://HOST:PORT/PATH of the server; what is asked for goes
            behind the path.
        proxy: http://USER:PASSWORD@HOST:PORT; "" for none.
    """

    def __init__(self, url: str, proxy: str = "") -> None:
        server = urlsplit(url)
        self.is_tls = server.scheme == "https"
        self.server_name = server.hostname or ""
        self.host, self.port = self.server_name, server.port or _PORTS[server.scheme]
        self.headers = {"Host": _ascii(server.netloc)}
        self.prefix = server.path.rstrip("/")
        self.tunnel: tuple[str, int, dict[str, str]] | None = None
        if proxy:
            self._lead_through(_apart(proxy))

    def _lead_through(self, proxy: SplitResult) -> None:
        name = f"[{self.server_name}]" if ":" in self.server_name else _ascii(self.server_name)
        login = _login(proxy)
        if self.is_tls:
            self.tunnel = name, self.port, login
        else:
            # A proxy seldom lets CONNECT through to other ports than 443.
            self.prefix = f"http://{self.headers['Host']}{self.prefix}"
            self.headers = {**self.headers, **login}
        self.host, self.port = proxy.hostname or "", proxy.port or _PORTS["http"]


def _ascii(name: str) -> str:
    """Spell a name as DNS knows it; what cannot be a name fails when it is connected to."""
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def proxy_login(proxy: str) -> dict[str, str]:
    """Return the header that a proxy with a user in its URL wants to see."""
    return _login(_apart(proxy))


def _apart(proxy: str) -> SplitResult:
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")


def _login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    credentials = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(credentials).decode()}"}

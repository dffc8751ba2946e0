"""What pages of other sites may not ask where DEMO=1. No I/O.

Such a server trusts whoever reaches it: often all programs of one machine, and its browser is one
of them. Any site that is open there can send requests to it (cross-site), and read the answers as
soon as the site's own name leads to this machine (DNS rebinding).
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request

from token_server.errors import PermissionDeniedError
from token_server.proxies import address_of
from token_server.setting_types import origin_matcher
from token_server.settings import Settings

# LiveKit signs its webhooks, and calls this server what it likes. The others say nothing of use,
# and do nothing.
_OPEN = {"/webhook", "/healthz", "/readyz"}
_PAGES = {"/", "/api"}
_READS = {"GET", "HEAD"}


class DemoPages:
    """Lets in who is no page, the server's own page, and pages of CORS_ORIGINS.

    Args:
        settings: HOST and TOKEN_SERVER_URL, which name this server besides localhost and addresses;
            CORS_ORIGINS, whose pages may ask.
    """

    def __init__(self, settings: Settings) -> None:
        own_names = {settings.host.lower(), urlsplit(settings.token_server_url).hostname or ""}
        self._own_names = own_names - {""}
        self._origins = [origin_matcher(one) for one in settings.cors_origins]

    def check(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            PermissionDeniedError: It is for another name, or from another site's page.
        """
        if request.path in _OPEN:
            return
        if not self._is_ours(request.headers.get("Host", "localhost")):
            raise PermissionDeniedError(
                "Host must be localhost, an IP address or TOKEN_SERVER_URL's host, since DEMO=1"
            )
        if _is_foreign(request.headers) and not self._is_invited(request):
            raise PermissionDeniedError(
                "a page's Origin must be in CORS_ORIGINS, if it is not this server's own page"
            )

    def _is_ours(self, unverified_host: str) -> bool:
        name = _host_name(unverified_host)
        if name == "localhost" or name.endswith(".localhost"):
            return True
        # A name can lead anywhere; who asks for an address means it.
        return address_of(name) is not None or name in self._own_names

    def _is_invited(self, request: Request) -> bool:
        headers = request.headers
        origin = headers.get("Origin")
        if origin and is_among(origin, self._origins):
            return True
        # Somebody follows a link to the page.
        is_navigation = headers.get("Sec-Fetch-Mode") == "navigate" and request.method in _READS
        return is_navigation and request.path in _PAGES


def is_among(unverified_origin: str, matchers: Iterable[str | re.Pattern[str]]) -> bool:
    """Whether one of them means this origin."""
    return any(
        one in {"*", unverified_origin}
        if isinstance(one, str)
        else one.match(unverified_origin) is not None
        for one in matchers
    )


def _host_name(unverified_host: str) -> str:
    try:
        return urlsplit(f"//{unverified_host}").hostname or ""
    except ValueError:
        return ""


def _is_foreign(headers: Headers) -> bool:
    """Whether a page asks that is not of the very host and port that it asks.

    Browsers say so by Sec-Fetch-Site where the server is on this machine or has TLS, else by Origin
    alone, which a plain GET has not. Who sends neither is no browser.
    """
    if "Sec-Fetch-Site" in headers:
        return headers["Sec-Fetch-Site"] not in {"same-origin", "none"}
    origin = headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != headers.get("Host", "")

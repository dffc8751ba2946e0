"""Does the token server answer, is it ready, and does it let a frontend's page in?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from token_server.cli.asking import HttpResult, Way, ask, bearer
from token_server.cli.doctor.checks import Check, Trouble, ok, proxy_trouble
from token_server.cli.doctor.livekit import QUOTA
from token_server.cli.doctor.steps import REDIS_URL, TRUST, Address, Again, Setting, Start, Step
from token_server.cli.running_server import room_path
from token_server.cli.silence import Silence, cure_of

_NAME = "token server"


@dataclass(frozen=True, kw_only=True)
class Server:
    """The running token server, and what opens its doors.

    Attributes:
        url: Without a slash at its end.
        login: A bearer key or login token for /token; "" if none is needed or known.
        operator_key: For /metrics and /rooms; "" if none is known.
        proxy: The URL of the proxy that leads there; "" for none.
    """

    url: str
    login: str = field(default="", repr=False)
    operator_key: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """Its host and port, for people to read."""
        return urlsplit(self.url).netloc

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        content: Mapping[str, object] | None = None,
    ) -> HttpResult:
        """Send one request."""
        return ask(method, f"{self.url}{path}", headers, content, Way(proxy=self.proxy))


def check_server(server: Server, health: HttpResult) -> Check:
    """Say whether a token server answers there (GET /healthz)."""
    if health.bad_proxy:
        return proxy_trouble(health.bad_proxy, server.host, "this command").wrong(
            _NAME, f"The proxy of {health.bad_proxy} does not lead there.", health.in_words
        )
    if health.silence:
        address = "TOKEN_SERVER_URL, PORT or --url"
        cure = cure_of(health.why, server.url, address) or (
            "Start it (the Procfile's `web`; `make dev` starts all parts), or say where it is: set"
            " TOKEN_SERVER_URL or PORT, or add --url https://HOST."
        )
        return Trouble("server-unreachable", cure, _to_reach(health.why)).wrong(
            _NAME,
            f"No token server answers at {server.url}: nobody gives out tokens there, or sends for"
            " the agent.",
            health.silence,
        )
    if (said := str(health.content.get("msg", ""))).startswith("The keeper is stuck"):
        return Trouble(
            "server-stuck",
            "Start it again, which ends the standstill, and report it with its log: this is a bug.",
            (Start.WEB,),
        ).wrong(
            _NAME,
            f"What looks after rooms does not go on at {server.url}: nobody sends for an agent that"
            " is missing.",
            said,
        )
    if not health.is_ok or health.content.get("status") != "alive":
        return Trouble(
            "not-token-server",
            "Set TOKEN_SERVER_URL (or PORT, or add --url) to the token server's own address; behind"
            " a proxy that gives it a path, with that path: `curl ADDRESS/healthz` answers alive"
            " when it is right. If another program has the port, give the token server another.",
            (Address.OF_SERVER,),
        ).wrong(
            _NAME,
            f"What answers at {server.url} is not this token server: GET /healthz is not answered"
            " as it answers.",
            health.in_words,
        )
    return ok(_NAME, f"It answers at {server.url}.", f"after {health.seconds * 1000:.0f} ms")


def _to_reach(why: Silence | None) -> tuple[Step, ...]:
    if why in {None, Silence.REFUSED, Silence.NO_ANSWER}:
        return (Start.WEB,)
    return (TRUST, Again()) if why is Silence.CERTIFICATE else (Address.OF_SERVER,)


def check_ready(ready: HttpResult) -> Check:
    """Say whether its LiveKit, and its Redis if it has one, answer it (GET /readyz)."""
    if ready.is_ok:
        return _how_ready(ready)
    if ready.silence:
        return _not_ready("It runs, and does not say whether it is ready.", ready.silence)
    said = str(ready.content.get("msg", "nothing"))
    evidence = (f"HTTP {ready.status}", f"it says: {said}")
    if setting := next((name for name in ("HTTPS_PROXY", "HTTP_PROXY") if name in said), ""):
        return proxy_trouble(setting, "LiveKit's host", "the token server", Start.WEB).wrong(
            "ready",
            f"LiveKit does not answer the token server, and {setting} leads there.",
            *evidence,
        )
    if "LIVEKIT_API_KEY" in said:
        return Trouble(
            "other-credentials",
            "Start the token server again with the LIVEKIT_API_KEY and LIVEKIT_API_SECRET that are"
            " set here: LiveKit accepts these.",
            (Start.WEB,),
        ).wrong("ready", "LiveKit refuses the token server's key, and accepts ours.", *evidence)
    return _not_ready("It runs, and its LiveKit does not answer it.", *evidence)


def _how_ready(ready: HttpResult) -> Check:
    if ready.content.get("redis") == "unavailable":
        return _without_redis(ready)
    if ready.content.get("livekit") == "limited":
        return QUOTA.wrong("ready", "LiveKit's quota of requests is used up.", ready.in_words)
    return ok("ready", "Its LiveKit answers it and accepts its key.")


def _without_redis(ready: HttpResult) -> Check:
    said = str(ready.content.get("msg", ""))
    if "REDIS_TLS_VERIFY" in said:
        return Trouble(
            "redis-certificate",
            "Set REDIS_TLS_VERIFY=0 on the token server, or ssl_ca_certs in its REDIS_URL, and"
            " start it again; docs/several-machines.md says what either gives. Agents come all the"
            " same.",
            (Setting("REDIS_TLS_VERIFY", "0"), Start.WEB),
        ).wrong(
            "ready",
            "The token server refuses its Redis' certificate: no authority that it knows has"
            " signed it.",
            f"it says: {said}",
        )
    return Trouble(
        "redis",
        "Start Redis, or set REDIS_URL on the token server to where it is; agents come all the same"
        " meanwhile, and each machine locks for itself.",
        (Setting("REDIS_URL", REDIS_URL), Start.WEB),
    ).wrong("ready", "The token server's Redis does not answer it.", ready.in_words)


def _not_ready(says: str, *evidence: str) -> Check:
    return Trouble(
        "server-not-ready",
        "Start it again with the LIVEKIT_URL that is set here, which answers here. If it runs on"
        " another machine, set LIVEKIT_URL there to an address that is reached from there: `curl"
        " LIVEKIT_URL` (with http) answers OK.",
        (Start.WEB,),
    ).wrong("ready", says, *evidence)


def room_view(server: Server, room_name: str) -> dict[str, Any]:
    """Ask it what it knows of a room (GET /rooms/{room_name}); nothing if it does not tell us."""
    answer = server.ask("GET", room_path(room_name), bearer(server.operator_key))
    return answer.content if answer.is_ok else {}


def preflight(server: Server, origin: str) -> HttpResult:
    """Ask as a browser does before a page of that origin may POST to /token."""
    wanted = "authorization, content-type" if server.login else "content-type"
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": wanted,
    }
    return server.ask("OPTIONS", "/token", headers)


def check_cors(
    server: Server, origin: str, answer: HttpResult, allowed_here: Sequence[str] = ()
) -> Check:
    """Say whether a browser lets a page of that origin fetch tokens.

    Args:
        server: Who is asked.
        origin: The page's.
        answer: To the preflight.
        allowed_here: CORS_ORIGINS as it is set here.
    """
    parts = urlsplit(server.url)
    if origin == f"{parts.scheme}://{parts.netloc}":
        return ok("CORS", "The page is the token server's own: no CORS needed.")
    if answer.silence:
        return Trouble("cors", "Run this again: the server did not answer in time.").unknown(
            "CORS", "The preflight was not answered.", answer.silence
        )
    allowed = answer.headers.get("access-control-allow-origin", "")
    if allowed in {"*", origin}:
        return ok("CORS", f"Pages of {origin} may fetch tokens.")
    return _not_allowed(origin, allowed_here).wrong(
        "CORS",
        f"A browser keeps pages of {origin} from fetching tokens.",
        f"OPTIONS /token: HTTP {answer.status}, Access-Control-Allow-Origin"
        f" {allowed or 'is missing'}",
    )


def _not_allowed(origin: str, allowed_here: Sequence[str]) -> Trouble:
    parts = urlsplit(origin)
    plain = f"{parts.scheme}://{parts.netloc}"
    if plain != origin:
        cure = f"An origin has no path: run this again with --origin {plain}"
        return Trouble("cors", cure, (Again(origin=plain),))
    wanted = ",".join(dict.fromkeys((*allowed_here, origin)))
    return Trouble(
        "cors",
        f"Add {origin} to CORS_ORIGINS on the token server, and start it again: it then tells"
        " browsers that these pages may.",
        (Setting("CORS_ORIGINS", wanted), Start.WEB),
    )

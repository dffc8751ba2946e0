"""Does the token server answer, is it ready, and does it let a frontend's page in?"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from token_server.cli.doctor.asking import Answer, Question, Silence, ask, get
from token_server.cli.doctor.checks import Cause, Check, Trouble, ok
from token_server.cli.running_server import room_path

_HTTP_OK = 200
_NAME = "token server"


@dataclass(frozen=True, kw_only=True)
class Server:
    """The running token server, and what opens its doors.

    Attributes:
        url: Without a slash at its end.
        login: A bearer key or login token for /token; "" if none is needed or known.
        operator_key: For /metrics and /rooms; "" if none is known.
    """

    url: str
    login: str = field(default="", repr=False)
    operator_key: str = field(default="", repr=False)

    @property
    def operator_headers(self) -> dict[str, str]:
        """What shows that an operator asks, if we can."""
        return {"Authorization": f"Bearer {self.operator_key}"} if self.operator_key else {}


def check_server(server: Server, health: Answer | Silence) -> Check:
    """Say whether a token server answers there (GET /healthz)."""
    if isinstance(health, Silence):
        return Trouble(
            Cause.SERVER_UNREACHABLE,
            "Start it (`make dev` here, or the Procfile's `web`), or say where it is: set"
            " TOKEN_SERVER_URL or PORT, or add --url https://HOST.",
        ).wrong(_NAME, f"No token server answers at {server.url}.", health.reason)
    if (said := str(health.content.get("msg", ""))).startswith("The keeper is stuck"):
        return Trouble(
            Cause.SERVER_STUCK,
            "Restart the process, and report it with its log: this is a bug.",
        ).wrong(_NAME, f"What looks after rooms does not go on at {server.url}.", said)
    if health.status != _HTTP_OK or health.content.get("status") != "alive":
        return Trouble(
            Cause.NOT_TOKEN_SERVER,
            "Set TOKEN_SERVER_URL (or PORT, or add --url) to the token server's own address; behind"
            " a proxy that gives it a path, with that path: `curl ADDRESS/healthz` answers alive"
            " when it is right.",
        ).wrong(_NAME, f"What answers at {server.url} is not this token server.", health.in_words)
    return ok(_NAME, f"It answers at {server.url}.", f"after {health.seconds * 1000:.0f} ms")


def check_ready(ready: Answer | Silence) -> Check:
    """Say whether its LiveKit, and its Redis if it has one, answer it (GET /readyz)."""
    if isinstance(ready, Answer) and ready.status == _HTTP_OK:
        if ready.content.get("redis") == "unavailable":
            return Trouble(
                Cause.REDIS,
                "Start Redis, or set REDIS_URL on the token server to where it is; agents come all"
                " the same meanwhile.",
            ).wrong("ready", "The token server's Redis does not answer it.", ready.in_words)
        return ok("ready", "Its LiveKit answers it and accepts its key.")
    if isinstance(ready, Silence):
        return _not_ready("It does not say whether it is ready.", ready.reason)
    said = str(ready.content.get("msg", "nothing"))
    evidence = (f"HTTP {ready.status}", f"it says: {said}")
    if "LIVEKIT_API_KEY" in said:
        return Trouble(
            Cause.OTHER_CREDENTIALS,
            "Start the token server with the LIVEKIT_API_KEY and LIVEKIT_API_SECRET that are set"
            " here: LiveKit accepts these.",
        ).wrong("ready", "LiveKit refuses the token server's key, and accepts ours.", *evidence)
    return _not_ready("It is not ready.", *evidence)


def _not_ready(says: str, *evidence: str) -> Check:
    return Trouble(
        Cause.SERVER_NOT_READY,
        "Set LIVEKIT_URL on the token server to an address that it can reach from where it runs,"
        " and start it again; `curl LIVEKIT_URL` (with http) on its machine answers OK.",
    ).wrong("ready", says, *evidence)


def room_view(server: Server, room_name: str) -> dict[str, Any] | None:
    """Ask it what it knows of a room (GET /rooms/{room_name}); None where it does not tell us."""
    answer = get(f"{server.url}{room_path(room_name)}", server.operator_headers)
    if isinstance(answer, Silence) or answer.status != _HTTP_OK:
        return None
    return answer.content


def preflight(server: Server, origin: str, *, has_login: bool) -> Answer | Silence:
    """Ask as a browser does before a page of that origin may POST to /token."""
    wanted = "authorization, content-type" if has_login else "content-type"
    return ask(
        Question(
            method="OPTIONS",
            url=f"{server.url}/token",
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": wanted,
            },
        )
    )


def check_cors(server: Server, origin: str, answer: Answer | Silence) -> Check:
    """Say whether a browser lets a page of that origin fetch tokens."""
    parts = urlsplit(server.url)
    if origin == f"{parts.scheme}://{parts.netloc}":
        return ok("CORS", "The page is the token server's own: no CORS needed.")
    if isinstance(answer, Silence):
        return Trouble(Cause.CORS, "Run this again.").unknown(
            "CORS", "The preflight was not answered.", answer.reason
        )
    allowed = answer.headers.get("access-control-allow-origin", "")
    if allowed in {"*", origin}:
        return ok("CORS", f"Pages of {origin} may fetch tokens.")
    return Trouble(Cause.CORS, _cors_cure(origin)).wrong(
        "CORS",
        f"A browser keeps pages of {origin} from fetching tokens.",
        f"OPTIONS /token: HTTP {answer.status}, Access-Control-Allow-Origin"
        f" {allowed or 'is missing'}",
    )


def _cors_cure(origin: str) -> str:
    parts = urlsplit(origin)
    plain = f"{parts.scheme}://{parts.netloc}"
    if plain != origin:
        return f"An origin has no path: run this again with --origin {plain}"
    return f"Add {origin} to CORS_ORIGINS on the token server, and start it again."

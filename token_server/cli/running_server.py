"""The running token server, as the command line asks it."""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, cast
from urllib.parse import quote

from shared_settings.token_server_url import running_server_url
from token_server.bearer_keys import plain_key
from token_server.cli.asking import HttpResult, Way, ask, bearer
from token_server.cli.silence import cure_of
from token_server.errors import TokenServerError, UnknownRoomError
from token_server.proxies import Proxies
from token_server.setting_types import to_names

_CONNECT = 3.0  # seconds
_CURES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "set OPERATOR_KEY here to one of the server's, as it is and not as a"
    " hash",
    HTTPStatus.FORBIDDEN: "set OPERATOR_KEY on the server, and here",
    HTTPStatus.METHOD_NOT_ALLOWED: "it is of an older version: upgrade it first",
}


class _Role(NamedTuple):
    """As whom the server is asked: whose keys these are, and how many seconds it may take."""

    setting: str
    seconds: float


_CALLER = _Role("TOKEN_KEYS", 15.0)
# A list of many rooms takes the server a while.
_OPERATOR = _Role("OPERATOR_KEY", 30.0)


class NotAnsweredError(TokenServerError):
    """The server could not be asked, or said no."""


def server_url(environ: Mapping[str, str]) -> str:
    """Return TOKEN_SERVER_URL, or loopback as HOST has it and PORT."""
    names = "TOKEN_SERVER_URL", "PORT", "HOST"
    return running_server_url(*(environ.get(name, "").strip() for name in names))


def room_path(room_name: str) -> str:
    """Return where the server shows a room.

    A name may be `..` or have any character: only a query comes through whatever is in between.
    """
    return f"/rooms?{_query(room_name)}"


def release_path(room_name: str) -> str:
    """Return where the server releases the humans of a room, which may have any name."""
    return f"/rooms/release?{_query(room_name)}"


def _query(room_name: str) -> str:
    # A terminal may hand over bytes that are no text: no room is named so.
    return f"room_name={quote(room_name, safe='', errors='replace')}"


def fetch_room(environ: Mapping[str, str], room_name: str) -> dict[str, Any]:
    """Return what the server knows of a room.

    Raises:
        UnknownRoomError: Nothing.
        NotAnsweredError: It cannot be asked.
    """
    content = _ask(environ, "GET", room_path(room_name))
    if "timeline" not in content:
        raise NotAnsweredError(f"{server_url(environ)} is of an older version: upgrade it first")
    return content


def fetch_rooms(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the live rooms, as the server sorts them.

    Raises:
        NotAnsweredError: It cannot be asked.
    """
    return cast("list[dict[str, Any]]", _ask(environ, "GET", "/rooms")["rooms"])


def fetch_workers(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the workers that have told, and the agent names that the server asks for.

    Raises:
        NotAnsweredError: It cannot be asked.
    """
    return _ask(environ, "GET", "/workers")


def release_room(
    environ: Mapping[str, str], room_name: str, request: Mapping[str, str]
) -> dict[str, Any]:
    """Release humans of a room, and return the server's answer.

    Raises:
        UnknownRoomError: There is no such room.
        NotAnsweredError: It cannot be asked, or could not do it.
    """
    return _ask(environ, "POST", release_path(room_name), request)


def _ask(
    environ: Mapping[str, str], method: str, path: str, fields: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Ask as an operator."""
    answer = _answer(environ, _OPERATOR, method, path, fields)
    if answer.is_ok:
        return answer.content
    reason = answer.content.get("msg", "no reason")
    if answer.status == HTTPStatus.NOT_FOUND and "room_name" in reason:
        raise UnknownRoomError(reason)
    says = f"{server_url(environ)} answers {answer.status}: {reason}"
    cure = _CURES.get(answer.status)
    raise NotAnsweredError(f"{says}; {cure}" if cure else says)


def fetch_token(environ: Mapping[str, str], fields: Mapping[str, object]) -> dict[str, str]:
    """POST the fields to the running server's /token and return its JSON.

    Args:
        environ: TOKEN_SERVER_URL or PORT; the first of TOKEN_KEYS that is no hash is sent.
        fields: The request's JSON.

    Raises:
        NotAnsweredError: No answer, or one that is no token.
    """
    answer = _answer(environ, _CALLER, "POST", "/token", fields)
    if "participant_token" not in answer.content:
        reason = answer.content.get("msg", "no reason")
        raise NotAnsweredError(f"{server_url(environ)}/token answers {answer.status}: {reason}")
    return answer.content


def _answer(
    environ: Mapping[str, str],
    role: _Role,
    method: str,
    path: str,
    fields: Mapping[str, object] | None,
) -> HttpResult:
    """Ask; raise NotAnsweredError if nobody answers, or somebody who is no token server."""
    url, key = f"{server_url(environ)}{path}", plain_key(to_names(environ.get(role.setting, "")))
    proxy = Proxies.from_environ(environ).to(url)
    way = Way(proxy=proxy, connect=_CONNECT, answer=role.seconds)
    result = ask(method, url, bearer(key), fields, way)
    if result.bad_proxy:
        raise NotAnsweredError(f"{url} cannot be asked: {result.in_words}")
    if result.silence:
        cure = cure_of(result.why, url, "TOKEN_SERVER_URL or PORT") or (
            "Start it with `make dev`, or set TOKEN_SERVER_URL or PORT."
        )
        raise NotAnsweredError(f"{url} does not answer: {result.silence}. {cure}")
    if result.json_object is None:
        raise NotAnsweredError(f"{url} answers {result.status} and no JSON: is it a token server?")
    return result


def unverified_claims(token: str) -> dict[str, object]:
    """Return what a token says, without checking who signed it."""
    payload = token.split(".")[1]
    padded = payload + "=" * (-len(payload) % 4)
    return cast("dict[str, object]", json.loads(base64.urlsafe_b64decode(padded)))

"""The running token server, as the command line asks it."""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import urllib3

from shared_settings.token_server_url import running_server_url
from token_server.bearer_keys import plain_key
from token_server.errors import TokenServerError, UnknownRoomError
from token_server.setting_types import to_names

# Seconds. A list of many rooms takes the server a while.
_CONNECT, _TOKEN, _ROOMS = 3.0, 15.0, 30.0
_CURES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "set OPERATOR_KEY here to one of the server's, as it is and not as a"
    " hash",
    HTTPStatus.FORBIDDEN: "set OPERATOR_KEY on the server, and here",
}


class NotAnsweredError(TokenServerError):
    """The server could not be asked, or said no."""


def server_url(environ: Mapping[str, str]) -> str:
    """Return TOKEN_SERVER_URL, or loopback and PORT."""
    return running_server_url(environ.get("TOKEN_SERVER_URL", ""), environ.get("PORT", ""))


def room_path(room_name: str) -> str:
    """Return where the server shows a room.

    A name may be `..` or have any character: only a query comes through whatever is in between.
    """
    # A terminal may hand over bytes that are no text: no room is named so.
    return f"/rooms?room_name={quote(room_name, safe='', errors='replace')}"


class RunningServer:
    """Asks the server that the environment names.

    Args:
        environ: TOKEN_SERVER_URL or PORT.
        key: The bearer key to show; "" for none.
        seconds: How long an answer may take.
    """

    def __init__(self, environ: Mapping[str, str], key: str, seconds: float) -> None:
        self.url = server_url(environ)
        self._timeout = urllib3.Timeout(connect=_CONNECT, read=seconds)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = urllib3.PoolManager()

    def ask(
        self, method: str, path: str, fields: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON that it answers.

        Raises:
            NotAnsweredError: No answer, or none of a token server's.
        """
        url = f"{self.url}{path}"
        try:
            answer = self._http.request(
                method,
                url,
                json=fields,
                headers=self._headers,
                timeout=self._timeout,
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise NotAnsweredError(
                f"{url} does not answer: start it with `make dev`, or set TOKEN_SERVER_URL or PORT"
            ) from error
        return answer.status, _read(answer.data, f"{url} answers {answer.status}")


def _read(body: bytes, says: str) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise NotAnsweredError(f"{says} and no JSON: is it a token server?")
    return content


class AskServer:
    """Asks the server that the environment names, with its operator's key."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        key = plain_key(to_names(environ.get("OPERATOR_KEY", "")))
        self._server = RunningServer(environ, key, _ROOMS)

    def room(self, room_name: str) -> dict[str, Any]:
        """Return what the server knows of a room.

        Raises:
            UnknownRoomError: Nothing.
            NotAnsweredError: It cannot be asked.
        """
        content = self._get(room_path(room_name))
        if "timeline" not in content:
            raise NotAnsweredError(f"{self._server.url} is of an older version: upgrade it first")
        return content

    def rooms(self) -> list[dict[str, Any]]:
        """Return the live rooms, as the server sorts them.

        Raises:
            NotAnsweredError: It cannot be asked.
        """
        return cast("list[dict[str, Any]]", self._get("/rooms")["rooms"])

    def workers(self) -> dict[str, Any]:
        """Return the workers that have told, and the agent names that the server asks for.

        Raises:
            NotAnsweredError: It cannot be asked.
        """
        return self._get("/workers")

    def _get(self, path: str) -> dict[str, Any]:
        status, content = self._server.ask("GET", path)
        if status == HTTPStatus.OK:
            return content
        reason = content.get("msg", "no reason")
        if status == HTTPStatus.NOT_FOUND and "room_name" in reason:
            raise UnknownRoomError(reason)
        says = f"{self._server.url} answers {status}: {reason}"
        raise NotAnsweredError(f"{says}; {_CURES[status]}" if status in _CURES else says)


def fetch_token(environ: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, str]:
    """POST the fields to the running server's /token and return its JSON.

    Args:
        environ: TOKEN_SERVER_URL or PORT; the first of TOKEN_KEYS that is no hash is sent.
        fields: The request's JSON.

    Raises:
        NotAnsweredError: No answer, or one that is no token.
    """
    key = plain_key(to_names(environ.get("TOKEN_KEYS", "")))
    server = RunningServer(environ, key, _TOKEN)
    status, content = server.ask("POST", "/token", fields)
    if "participant_token" not in content:
        reason = content.get("msg", "no reason")
        raise NotAnsweredError(f"{server.url}/token answers {status}: {reason}")
    return cast("dict[str, str]", content)


def unverified_claims(token: str) -> dict[str, object]:
    """Return what a token says, without checking who signed it."""
    payload = token.split(".")[1]
    padded = payload + "=" * (-len(payload) % 4)
    return cast("dict[str, object]", json.loads(base64.urlsafe_b64decode(padded)))

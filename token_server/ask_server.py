"""What `token-server room` and `rooms` ask of the running server, as its operator."""

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

import urllib3

from token_server.errors import NotFoundError, TokenServerError
from token_server.fetch_token import server_url

# Seconds. A list of many rooms takes the server a while.
_TIMEOUT = urllib3.Timeout(connect=3, read=30)
_NOT_FOUND = 404
_OK = 200
_CURES = {
    401: "set OPERATOR_KEY here to one of the server's, as it is and not as a hash",
    403: "set OPERATOR_KEY on the server, and here",
}


class NotAnsweredError(TokenServerError):
    """The server could not be asked, or said no."""


class AskServer:
    """Asks the server that the environment names, with its operator's key."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._url = server_url(environ)
        keys = [key.strip() for key in environ.get("OPERATOR_KEY", "").split(",")]
        plain = [key for key in keys if key and not key.startswith("sha256:")]
        self._headers = {"Authorization": f"Bearer {plain[0]}"} if plain else {}
        self._http = urllib3.PoolManager()

    def room(self, room_name: str) -> dict[str, Any]:
        """Return what the server knows of a room.

        Raises:
            NotFoundError: Nothing.
            NotAnsweredError: It cannot be asked.
        """
        return self._get(f"/rooms/{quote(room_name, safe='')}")

    def rooms(self) -> list[dict[str, Any]]:
        """Return the live rooms, as the server sorts them.

        Raises:
            NotAnsweredError: It cannot be asked.
        """
        return cast("list[dict[str, Any]]", self._get("/rooms")["rooms"])

    def _get(self, path: str) -> dict[str, Any]:
        url = f"{self._url}{path}"
        try:
            answer = self._http.request(
                "GET", url, headers=self._headers, timeout=_TIMEOUT, retries=False, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise NotAnsweredError(
                f"{self._url} does not answer: start it with `make dev`, or set TOKEN_SERVER_URL"
                " or PORT"
            ) from error
        content = _read(answer.data, self._url, answer.status)
        if answer.status == _OK:
            return content
        reason = content.get("msg", "no reason")
        if answer.status == _NOT_FOUND and "room_name" in reason:
            raise NotFoundError(reason)
        cure = _CURES.get(answer.status)
        says = f"{self._url} answers {answer.status}: {reason}"
        raise NotAnsweredError(f"{says}; {cure}" if cure else says)


def _read(body: bytes, url: str, status: int) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise NotAnsweredError(f"{url} answers {status} and no JSON: is it a token server?")
    return content

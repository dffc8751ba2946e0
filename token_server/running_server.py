"""The running token server, as the command line asks it."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import urllib3

from token_server.errors import TokenServerError

_CONNECT_SECONDS = 3.0


class NotAnsweredError(TokenServerError):
    """The server could not be asked, or said no."""


def server_url(environ: Mapping[str, str]) -> str:
    """Return TOKEN_SERVER_URL, or loopback and PORT."""
    default = f"http://127.0.0.1:{environ.get('PORT') or 8080}"
    return (environ.get("TOKEN_SERVER_URL") or default).rstrip("/")


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
        self._timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=seconds)
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

"""What `token-server room` and `rooms` ask of the running server, as its operator."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from token_server.errors import UnknownRoomError
from token_server.running_server import NotAnsweredError, RunningServer, room_path
from token_server.setting_values import plain_key, to_names

# A list of many rooms takes the server a while.
_SECONDS = 30.0
_CURES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "set OPERATOR_KEY here to one of the server's, as it is and not as a"
    " hash",
    HTTPStatus.FORBIDDEN: "set OPERATOR_KEY on the server, and here",
}


class AskServer:
    """Asks the server that the environment names, with its operator's key."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        key = plain_key(to_names(environ.get("OPERATOR_KEY", "")))
        self._server = RunningServer(environ, key, _SECONDS)

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

    def _get(self, path: str) -> dict[str, Any]:
        status, content = self._server.ask("GET", path)
        if status == HTTPStatus.OK:
            return content
        reason = content.get("msg", "no reason")
        if status == HTTPStatus.NOT_FOUND and "room_name" in reason:
            raise UnknownRoomError(reason)
        says = f"{self._server.url} answers {status}: {reason}"
        raise NotAnsweredError(f"{says}; {_CURES[status]}" if status in _CURES else says)

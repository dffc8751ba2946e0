"""What `token-server token` does: ask the running server for a token, and read one."""

import base64
import json
from collections.abc import Mapping
from typing import cast

from token_server.running_server import NotAnsweredError, RunningServer
from token_server.setting_values import plain_key, to_names

_SECONDS = 15.0


def fetch_token(environ: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, str]:
    """POST the fields to the running server's /token and return its JSON.

    Args:
        environ: TOKEN_SERVER_URL or PORT; the first of TOKEN_KEYS that is no hash is sent.
        fields: The request's JSON.

    Raises:
        NotAnsweredError: No answer, or one that is no token.
    """
    key = plain_key(to_names(environ.get("TOKEN_KEYS", "")))
    server = RunningServer(environ, key, _SECONDS)
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

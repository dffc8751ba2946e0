"""What `token-server token` does: ask the running server for a token, and read one."""

import base64
import json
from collections.abc import Mapping
from typing import cast

import urllib3

from token_server.errors import TokenServerError

_TIMEOUT = urllib3.Timeout(connect=3, read=15)  # seconds


class TokenNotIssuedError(TokenServerError):
    """The server could not be asked, or said no."""


def server_url(environ: Mapping[str, str]) -> str:
    """Return TOKEN_SERVER_URL, or loopback and PORT."""
    default = f"http://127.0.0.1:{environ.get('PORT') or 8080}"
    return (environ.get("TOKEN_SERVER_URL") or default).rstrip("/")


def fetch_token(environ: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, str]:
    """POST the fields to the running server's /token and return its JSON.

    Args:
        environ: TOKEN_SERVER_URL or PORT; the first of TOKEN_KEYS is sent as bearer key.
        fields: The request's JSON.

    Raises:
        TokenNotIssuedError: No answer, or one that is no token.
    """
    url = f"{server_url(environ)}/token"
    key = environ.get("TOKEN_KEYS", "").partition(",")[0].strip()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        answer = urllib3.request(
            "POST", url, json=dict(fields), headers=headers, timeout=_TIMEOUT, retries=False
        )
    except urllib3.exceptions.HTTPError as error:
        raise TokenNotIssuedError(
            f"{url} does not answer: start it with `make dev`, or set TOKEN_SERVER_URL or PORT"
        ) from error
    return _read_answer(answer.status, answer.data, url)


def _read_answer(status: int, body: bytes, url: str) -> dict[str, str]:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise TokenNotIssuedError(f"{url} answers {status} and no JSON: is it a token server?")
    if "participant_token" not in content:
        raise TokenNotIssuedError(f"{url} answers {status}: {content.get('msg', 'no reason')}")
    return cast("dict[str, str]", content)


def unverified_claims(token: str) -> dict[str, object]:
    """Return what a token says, without checking who signed it."""
    payload = token.split(".")[1]
    padded = payload + "=" * (-len(payload) % 4)
    return cast("dict[str, object]", json.loads(base64.urlsafe_b64decode(padded)))

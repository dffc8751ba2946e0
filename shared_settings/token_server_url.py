"""TOKEN_SERVER_URL: where the token server is found by commands and by workers. No I/O."""

from typing import Annotated

from pydantic import AfterValidator

from shared_settings.livekit_url import split_url

DEFAULT_PORT = 8080


def _check_server_url(value: str) -> str:
    """Return the URL of a token server; ValueError says what is wrong with it."""
    parts = split_url(value)
    if parts is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ValueError("must look like https://HOST, with a path where a proxy gives it one")
    return value


ServerUrl = Annotated[str, AfterValidator(_check_server_url)]


def running_server_url(token_server_url: str, port: int | str) -> str:
    """Return where it runs: TOKEN_SERVER_URL, or loopback and PORT; without a slash at the end."""
    return (token_server_url or f"http://127.0.0.1:{port or DEFAULT_PORT}").rstrip("/")

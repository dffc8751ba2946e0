"""Settings for tests, from a mapping and never from the environment of who runs them."""

from tests.processes import AGENT_NAME, API_KEY, API_SECRET
from token_server.settings import Settings

LIVEKIT_URL = "ws://livekit.example:7880"


def environ(**changes: str) -> dict[str, str]:
    """Return the smallest environment that a server starts with, and these variables."""
    return {
        "LIVEKIT_URL": LIVEKIT_URL,
        "LIVEKIT_API_KEY": API_KEY,
        "LIVEKIT_API_SECRET": API_SECRET,
        "LIVEKIT_AGENT_NAME": AGENT_NAME,
        "TOKEN_AUTH": "none",
    } | changes


def settings(**changes: str) -> Settings:
    """Return the settings that `environ` describes."""
    return Settings.from_environ(environ(**changes))

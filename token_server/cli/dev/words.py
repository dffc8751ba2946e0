"""What the local stack says to the person who started it; plain text in, plain text out."""

from collections.abc import Mapping, Sequence

from token_server.cli.dev.plan import web_url
from token_server.cli.dev.supervisor import Death
from token_server.telemetry.printable import printable


def boxed(lines: Sequence[str]) -> str:
    """Draw a box around the lines."""
    width = max(map(len, lines))
    rows = [f"│  {line.ljust(width)}  │" for line in lines]
    return "\n".join([f"┌{'─' * (width + 4)}┐", *rows, f"└{'─' * (width + 4)}┘"])


def banner(environ: Mapping[str, str], livekit: str, *, has_page: bool) -> str:
    """Say that all is ready, where, and how to try it.

    Args:
        environ: The children's environment.
        livekit: What LiveKit server this is, in words.
        has_page: Whether the test page has been built.
    """
    url = web_url(environ)
    shown = _SHOWN.get(environ.get("TOKEN_AUTH", ""), "")
    key = f' -H "Authorization: Bearer {shown}"' if shown else ""
    page = "" if has_page else "   (no page: npm was missing, see `make setup`)"
    agent = environ.get("LIVEKIT_AGENT_NAME") or "unnamed (AGENT_DISPATCH=automatic)"
    return boxed(
        [
            f"Ready   {url}{page}",
            f"Token   curl -X POST{key} {url}/token",
            *([f"API     {url}/api"] if has_page else []),
            f"LiveKit {livekit}",
            f"Agent   {agent}",
            "Ctrl-C stops everything.",
        ]
    )


def obituary(death: Death) -> str:
    """Say which child died, how, with which last words, and what to do."""
    how = f"exit code {death.exit_code}"
    if death.exit_code < 0:
        how = f"signal {-death.exit_code}"
    elif death.exit_code == _NOT_FOUND:
        how = "its program was not found"
    said = "\n".join(f"    {printable(line)}" for line in death.last_lines) or "    (nothing)"
    return (
        f"\n{death.name} ended ({how}), so everything was stopped. Its last lines:\n{said}\n"
        f"{_ADVICE.get(death.name, 'Mend what they say')}, then start again."
    )


# What a caller has to show: a key of TOKEN_KEYS, or a login of the frontend's own.
_SHOWN = {"key": "$TOKEN_KEY", "jwt": "$LOGIN_TOKEN"}
_NOT_FOUND = 127  # the shell's
_ADVICE = {
    "livekit": "Mend what they say; if it is about a port, stop the other program that uses it",
    "web": "Mend what they say (settings: .env.example lists them all)",
    "worker": "Mend what they say (settings: .env.example lists them all)",
}

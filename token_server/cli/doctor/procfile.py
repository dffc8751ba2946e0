"""What a folder's Procfile tells of how things are started there. No I/O."""

import re

from token_server.cli.dev.plan import procfile_commands
from token_server.cli.doctor.steps import Start

# Without a name of its own.
_OUR_AGENT = re.compile(r"^(?!.*\bLIVEKIT_AGENT_NAME=).*\bpython\S* -m agent(?!\S)")


def line_of(process: str, procfile: str) -> str:
    """Return a process' shell line; "" if it has none."""
    return dict(procfile_commands(procfile)).get(process, "").strip()


def is_web_ours(procfile: str) -> bool:
    """Whether `web` is the token server; a stranger's is not ours to start."""
    return "token_server" in line_of(Start.WEB, procfile)


def is_agent_ours(procfile: str) -> bool:
    """Whether `worker` is this project's agent, and LIVEKIT_AGENT_NAME names it."""
    return bool(_OUR_AGENT.search(line_of(Start.WORKER, procfile)))

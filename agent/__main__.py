"""`python -m agent start|dev|console`: reads the environment, builds the worker, runs it.

The only module that knows os.environ. Job processes import it again under another name.
"""

import io
import os
import sys

from shared_settings.env_file import with_env_file
from shared_settings.extras import missing_extra
from shared_settings.settings import SettingsError

try:
    from livekit.agents import cli

    from agent.settings import AgentSettings
    from agent.worker import build_worker
except ModuleNotFoundError:
    if problem := missing_extra("worker", "It"):
        sys.exit(f"The worker cannot start:\n{problem}")
    raise


def main() -> int:
    """Run the command and return its exit code."""
    # livekit-agents and the plugins read variables of their own there.
    os.environ.update(with_env_file(os.environ))
    try:
        settings = AgentSettings.from_environ(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"The worker cannot start:\n{error}\n")
        return 2
    if "console" in sys.argv[1:2] and settings.voice_models is None:
        sys.stderr.write(
            "console needs VOICE_STT, VOICE_LLM, VOICE_TTS: the parrot is for rooms.\n"
        )
        return 2
    if settings.voice_models is None:
        # The turn detector's weights: 250 MB that the parrot has no use for.
        os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")
    # The SDK falls back to the variable (livekit-behaviour 73): an unnamed worker would get a name.
    os.environ["LIVEKIT_AGENT_NAME"] = settings.registered_name
    # People grep the log for an emoji, whatever the locale.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    worker = build_worker(settings)
    try:
        cli.run_app(worker)
    except SystemExit as end:
        return 1 if worker.has_failed else int(end.code or 0)
    return int(worker.has_failed)


if __name__ == "__main__":
    sys.exit(main())

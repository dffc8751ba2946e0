"""The extras of pyproject.toml: packages that not every machine needs, and who asks for them.

The web process alone runs on what the package itself depends on. No settings are read here.
"""

from collections.abc import Callable
from importlib.util import find_spec

# What only this extra brings, by the modules that are imported.
MODULES = {
    "worker": ("aiohttp", "livekit.agents", "livekit.api", "livekit.rtc"),
    "redis": ("redis",),
    "tracing": ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"),
    "doctor": ("aiohttp", "livekit.rtc", "redis"),
}


class MissingExtraError(Exception):
    """Something is asked for whose packages are not installed here; says which extra has them."""


def is_installed(module: str) -> bool:
    """Whether a module is there; it is not imported, but what it lies in is."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def missing_extra(
    extra: str, wanted_by: str, is_there: Callable[[str], bool] = is_installed
) -> str:
    """Return what to install, in a sentence; "" if it is there.

    Args:
        extra: One of `MODULES`.
        wanted_by: The setting or the command that needs it: the sentence begins with it.
        is_there: Whether a module is installed.
    """
    missing = [module for module in MODULES[extra] if not is_there(module)]
    if not missing:
        return ""
    return (
        f"{wanted_by} needs packages that are not installed here ({', '.join(missing)}): install"
        f" livekit-token-server[{extra}] (docs/light.md), or requirements.txt, which has everything"
    )


def require_extra(extra: str, wanted_by: str) -> None:
    """Go on only if an extra is installed.

    Raises:
        MissingExtraError: It is not.
    """
    if problem := missing_extra(extra, wanted_by):
        raise MissingExtraError(problem)

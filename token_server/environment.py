"""What commands, the server and tracing take from the environment and `.env`."""

import logging
from collections.abc import Callable, Mapping

from shared_settings.env_file import with_env_file
from shared_settings.extras import is_installed, missing_extra
from shared_settings.settings import SettingsError
from token_server.setting_types import to_names
from token_server.settings import Settings

logger = logging.getLogger(__name__)

_EXPORTER = "OTEL_TRACES_EXPORTER"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
# What commands send, by what says where, or to whom: keys, tokens that the secret has signed, and
# Redis' password.
_SENT_TO = {
    "TOKEN_SERVER_URL": ("OPERATOR_KEY", "TOKEN_KEYS"),
    "LIVEKIT_URL": ("LIVEKIT_API_SECRET",),
    "REDIS_TLS_VERIFY": ("REDIS_URL",),
} | dict.fromkeys(
    ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"),
    ("OPERATOR_KEY", "TOKEN_KEYS", "LIVEKIT_API_SECRET"),
)
_NOT_FROM_FILE = (
    "%s of this folder's .env is not used, since %s is not from there: set %s in the environment"
    " too, or name the file in TOKEN_SERVER_ENV_FILE"
)
# To encode as many spans as the SDK would send at once, 512, takes 20 ms, and no request of the
# process is answered meanwhile.
_DEFAULTS = {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "64"}
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def command_environ(environ: Mapping[str, str], login: str = "") -> dict[str, str]:
    """Return the environment and `.env` for a command.

    A person runs it in any folder, also in a stranger's. What is secret here is not sent to an
    address that such a folder's `.env` has. A server is not protected from its own folder: it runs
    the code there.

    Args:
        environ: The environment.
        login: A secret that is on the command line; it goes to TOKEN_SERVER_URL.
    """
    found = with_env_file(environ)
    if environ.get("TOKEN_SERVER_ENV_FILE"):
        return found
    for address, secrets in _SENT_TO.items():
        ours = [name for name in secrets if environ.get(name, "").strip()]
        if login and "TOKEN_KEYS" in secrets:
            ours.append("--login")
        if ours and found.get(address) and address not in environ:
            del found[address]
            logger.warning(_NOT_FROM_FILE, address, " and ".join(ours), address)
    return found


def read_settings(
    environ: Mapping[str, str], is_there: Callable[[str], bool] = is_installed
) -> Settings:
    """Read the settings from the environment and `.env`, for a web process that is to start.

    Args:
        environ: The environment.
        is_there: Whether a module is installed: not every machine has all.

    Raises:
        SettingsError: With one line for every variable that is missing or wrong, or that needs
            what is not installed.
    """
    found = with_env_file(environ)
    settings = Settings.from_environ(found)
    wanted = {
        "redis": "REDIS_URL" if settings.redis_url else "",
        "tracing": _asks_for_traces(found),
    }
    sentences = [missing_extra(extra, name, is_there) for extra, name in wanted.items() if name]
    if problems := list(filter(None, sentences)):
        raise SettingsError("\n".join(problems))
    return settings


def tracing_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return OpenTelemetry's variables if they ask for traces, nothing if they do not.

    They ask with OTEL_TRACES_EXPORTER=otlp, or by naming an endpoint.

    Source:
        https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """
    found = with_env_file(environ)
    if not _asks_for_traces(found):
        return {}
    given = _of_opentelemetry(found)
    protocol = next((given[name] for name in _PROTOCOLS if name in given), "http/protobuf")
    if protocol != "http/protobuf":
        logger.warning(
            "Traces are sent as http/protobuf, whatever OTEL_EXPORTER_OTLP_PROTOCOL says"
        )
    return _DEFAULTS | given


def _asks_for_traces(found: Mapping[str, str]) -> str:
    """Return the name of a variable that asks for traces; "" if none does."""
    given = _of_opentelemetry(found)
    endpoint = next((name for name in _ENDPOINTS if name in given), "")
    exporters = to_names(given.get(_EXPORTER, "otlp" if endpoint else ""))
    if "otlp" not in exporters or given.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return ""
    return endpoint or _EXPORTER


def _of_opentelemetry(found: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value.strip()
        for name, value in found.items()
        if name.startswith("OTEL_") and value.strip()
    }

"""What is not installed is told before anything is started, and in one sentence."""

import pytest

from shared_settings.extras import MODULES, is_installed, missing_extra
from shared_settings.settings import SettingsError
from tests.environ import environ
from token_server.environment import read_settings

REDIS = {"REDIS_URL": "redis://:secret@redis.example"}
TRACES = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4318"}


def nothing(module: str) -> bool:
    """Be a machine that has the web process alone."""
    del module
    return False


@pytest.mark.parametrize("extra", MODULES)
def test_the_sentence_says_who_needs_what_and_what_to_install(extra: str) -> None:
    """No traceback of an import, which names neither."""
    sentence = missing_extra(extra, "REDIS_URL", nothing)

    assert sentence.startswith("REDIS_URL needs ")
    assert all(module in sentence for module in MODULES[extra])
    assert f"livekit-token-server[{extra}]" in sentence


@pytest.mark.parametrize("extra", MODULES)
def test_what_is_there_is_not_missed(extra: str) -> None:
    """This machine has all."""
    assert "" == missing_extra(extra, "REDIS_URL")


def test_a_module_of_a_package_that_is_not_there_is_not_installed() -> None:
    """Python raises for it."""
    assert (False, False) == (is_installed("no_such_package.part"), is_installed("no_such_package"))


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (REDIS, ["REDIS_URL"]),
        (TRACES, ["OTEL_EXPORTER_OTLP_ENDPOINT"]),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ["OTEL_TRACES_EXPORTER"]),
        (REDIS | TRACES, ["REDIS_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"]),
    ],
    ids=["redis", "endpoint", "exporter", "both"],
)
def test_a_setting_that_needs_more_stops_the_start(asked: dict[str, str], names: list[str]) -> None:
    """By the variable's name; what was asked for and does not happen is worse."""
    with pytest.raises(SettingsError) as caught:
        read_settings(environ(**asked, TOKEN_SERVER_ENV_FILE="/dev/null"), nothing)

    lines = str(caught.value).splitlines()
    assert names == [line.split(" ")[0] for line in lines]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "asked",
    [{}, {"REDIS_URL": " "}, TRACES | {"OTEL_SDK_DISABLED": "true"}],
    ids=["nothing", "empty", "switched off"],
)
def test_a_machine_without_the_rest_starts_without_it(asked: dict[str, str]) -> None:
    """Tokens need neither."""
    found = read_settings(environ(**asked, TOKEN_SERVER_ENV_FILE="/dev/null"), nothing)

    assert "" == found.redis_url

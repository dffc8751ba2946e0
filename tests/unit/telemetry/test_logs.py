"""How log lines look."""

import json
import logging
import logging.config

import pytest

from shared_settings.settings import LogFormat
from token_server.telemetry.logs import logging_config


def line(log_format: LogFormat, **fields: object) -> str:
    """Format one record as the process would, without touching this process's own logging."""
    config = logging_config(log_format)
    configurator = logging.config.DictConfigurator(config)
    formatter = configurator.configure_formatter(config["formatters"]["line"])
    record = {"name": "x", "msg": "Room %s", "args": ("ready",), "levelname": "INFO"}
    return str(formatter.format(logging.makeLogRecord(record | fields)))


def test_a_json_line_is_one_object_with_all_fields() -> None:
    """What log collectors read."""
    found = json.loads(line(LogFormat.JSON, room="Küche", sid="RM_1"))

    assert ("Room ready", "info", "Küche", "RM_1", "Z") == (
        found["event"],
        found["level"],
        found["room"],
        found["sid"],
        found["timestamp"][-1],
    )


def test_a_console_line_has_the_words_and_fields_that_people_grep_for() -> None:
    """And no colours, which platforms show as rubbish."""
    found = line(LogFormat.CONSOLE, room="kitchen", outcome="already live")

    assert [] == [
        part
        for part in ("info", "Room ready", "room=kitchen", "outcome='already live'")
        if part not in found
    ]
    assert "\x1b" not in found


@pytest.mark.parametrize("log_format", LogFormat)
def test_a_value_cannot_forge_a_line(log_format: LogFormat) -> None:
    """Room names come from whoever can make rooms."""
    found = line(log_format, room="kitchen\n2026-01-01 [info] Room ready")

    assert 1 == len(found.splitlines())


@pytest.mark.parametrize("log_format", LogFormat)
def test_an_error_has_its_traceback(log_format: LogFormat) -> None:
    """The answer to the caller has none."""
    with pytest.raises(ValueError, match="MaRkEr") as caught:
        int("MaRkEr")

    found = line(log_format, exc_info=(caught.type, caught.value, caught.tb))

    assert (True, True) == ("Traceback" in found, "MaRkEr" in found)


def test_a_value_that_json_does_not_know_is_no_trouble() -> None:
    """A log call must not fail a request."""
    assert "found" in json.loads(line(LogFormat.JSON, found=object()))


@pytest.mark.parametrize("log_format", LogFormat)
def test_gunicorns_lines_look_the_same(log_format: LogFormat) -> None:
    """One format per process, or a collector drops half."""
    config = logging_config(log_format)

    used = [config["root"], *config["loggers"].values()]
    assert {"stderr"} == {name for logger in used for name in logger.get("handlers", [])}
    assert "line" == config["handlers"]["stderr"]["formatter"]

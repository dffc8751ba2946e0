import logging

from agent.logs import ConsoleFormatter


def test_a_console_line_holds_every_field_that_is_set() -> None:
    """People grep line by line for a phrase and a room's name."""
    record = logging.makeLogRecord(
        {"msg": "📥 JOB %s", "args": ("REQUEST",), "room": "a room", "job_id": "", "tags": ["x"]}
    )

    line = ConsoleFormatter().format(record)

    assert line.endswith("📥 JOB REQUEST room='a room' tags=['x']")

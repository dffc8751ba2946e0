import asyncio

import pytest

from agent.background import start_task


async def fail() -> None:
    """Do what a bug does."""
    raise RuntimeError("a made-up bug")


def reasons(*, cancelled: bool = False) -> list[str]:
    """Return what is told of a task that fails, or is cancelled before it can."""
    told: list[str] = []

    async def run() -> None:
        task = start_task(fail(), "the greeting", told.append)
        if cancelled:
            task.cancel()
        await asyncio.wait({task})

    asyncio.run(run())
    return told


def test_a_task_that_fails_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody awaits it: its exception would be lost, and the agent stay as it is."""
    told = reasons()

    assert ["the greeting has failed"] == told
    assert "RuntimeError: a made-up bug" in caplog.text


def test_a_task_that_is_cancelled_has_not_failed(caplog: pytest.LogCaptureFixture) -> None:
    """That is how a job ends."""
    assert ([], "") == (reasons(cancelled=True), caplog.text)


def test_a_failure_can_be_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Where the next event starts the same work anew."""

    async def run() -> None:
        await asyncio.wait({start_task(fail(), "looking for humans")})

    asyncio.run(run())

    assert "looking for humans has failed" in caplog.text

"""Brings every cause about, asks the doctor, and types what it prints."""

import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from bench.doctor.table import Outcome, to_sections
from bench.effort import Effort
from bench.figures import Section
from bench.progress import say
from tests.system.deployment import Deployment
from tests.system.doctor_injections import INJECTIONS
from tests.system.doctor_injections.stage import Injection, Stage, treat


def measure_doctor(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure it; a first answer has the causes that most people meet."""
    injections = [one for one in INJECTIONS if effort.is_thorough or one.is_frequent]
    say(f"doctor: {len(injections)} things that go wrong")
    with (
        Deployment(folder) as lender,
        Stage(lender.with_worker(), folder, is_thorough=True) as stage,
    ):
        return to_sections([_outcome(injection, stage) for injection in injections])


def _outcome(injection: Injection, stage: Stage) -> Outcome:
    """Try one; what cannot be typed, say, is told, and the others go on."""
    started = time.monotonic()
    try:
        course = treat(injection, stage)
    except Exception:  # noqa: BLE001 (whatever it is, it is not cured)
        say(f"    {injection.cause} ({injection.how}) was not tried:\n{traceback.format_exc()}")
        return Outcome(injection.cause, injection.how)
    is_named = course.is_named(injection.cause)
    is_cured = course.is_cured(injection.cause)
    outcome = Outcome(
        cause=injection.cause,
        how=injection.how,
        seconds_until_named=course.found.content["seconds"] if is_named else None,
        seconds_until_cured=course.seconds if is_cured else None,
        is_outside=course.is_outside,
    )
    if not (is_named and is_cured):
        say("\n".join((*map(str, course.found.troubles()), *course.typed, course.after.printed)))
    say(f"    {outcome.in_words} ({time.monotonic() - started:.0f} s)")
    return outcome

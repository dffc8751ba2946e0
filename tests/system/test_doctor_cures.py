"""What the doctor prints is typed, and then all is well: the causes that most people meet.

`python -m bench --only doctor` does the same with all of them.
"""

from collections.abc import Iterator, Sequence

import pytest

from tests.system.deployment import Deployment
from tests.system.doctor_injections import INJECTIONS, agents, livekit, server, settings, webhooks
from tests.system.doctor_injections.stage import Injection, Stage, treat
from token_server.cli.doctor.causes import CAUSES

pytestmark = pytest.mark.live


def frequent(injections: Sequence[Injection]) -> list[object]:
    """Return those that are tried here."""
    return [
        pytest.param(one, id=f"{one.cause}-{one.how}".replace(" ", "-"))
        for one in injections
        if one.is_frequent
    ]


@pytest.fixture(scope="module")
def stage(
    shared_deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """One site for one case after the other."""
    with Stage(shared_deployment, tmp_path_factory.mktemp("cures")) as stage:
        yield stage


def see_cured(injection: Injection, stage: Stage) -> None:
    """See that the doctor names it, and that what it prints is the cure."""
    course = treat(injection, stage)

    assert course.is_named(injection.cause), course.found.printed
    assert course.is_cured(injection.cause), f"{course.typed}\n{course.after.printed}"


@pytest.mark.parametrize("injection", frequent(settings.INJECTIONS))
def test_wrong_settings_are_named_and_cured_by_what_is_printed(
    stage: Stage, injection: Injection
) -> None:
    """Each of these ends in the same silence otherwise."""
    see_cured(injection, stage)


@pytest.mark.parametrize("injection", frequent((*server.INJECTIONS, *livekit.INJECTIONS)))
def test_a_server_with_a_fault_is_named_and_cured_by_what_is_printed(
    stage: Stage, injection: Injection
) -> None:
    """The terminal has the new settings, the server runs with the old ones."""
    see_cured(injection, stage)


@pytest.mark.parametrize("injection", frequent((*agents.INJECTIONS, *webhooks.INJECTIONS)))
def test_workers_and_webhooks_are_named_and_cured_by_what_is_printed(
    stage: Stage, injection: Injection
) -> None:
    """The first thing that anybody forgets."""
    see_cured(injection, stage)


def test_every_cause_that_the_doctor_knows_is_brought_about() -> None:
    """A cure that was never needed was never tried."""
    assert {cause.name for cause in CAUSES} == {injection.cause for injection in INJECTIONS}

"""When webhooks are known to tell who joins, and when a look shows that they do not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from token_server.keeper.webhook_proof import (
    WebhookProof,
    WebhookTimes,
    come_now,
    shows_missed,
    tell_of_joins,
)
from token_server.livekit.port import Participant, ParticipantKind
from token_server.state.webhook_signs import Sign

NOW = 1_000_000.0
START = NOW - 7_200
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
# As where LiveKit sends everything, and as where it was told to leave room_started out.
ALL = WebhookTimes(any=NOW - 100, join=NOW - 100, room=NOW - 101)
FILTERED = WebhookTimes(any=NOW - 100, join=NOW - 100)


@pytest.mark.parametrize(
    ("times", "made_at", "is_told"),
    [
        pytest.param(WebhookTimes(), None, False, id="nothing is known"),
        pytest.param(WebhookTimes(), NOW - 5, False, id="nothing is known of a new room"),
        pytest.param(replace(ALL, any=NOW - 29), None, True, id="one has just come"),
        pytest.param(replace(ALL, any=NOW - 31), None, False, id="a live room, and a quiet time"),
        pytest.param(replace(ALL, any=NOW - 5.4), NOW - 5, True, id="a new room was told"),
        pytest.param(replace(ALL, any=NOW - 20), NOW - 5, False, id="a new room was not told"),
        pytest.param(replace(ALL, any=NOW - 20), NOW - 0.4, True, id="a new room may yet be told"),
        pytest.param(FILTERED, NOW - 5, True, id="new rooms are left out"),
        pytest.param(FILTERED, None, True, id="a quiet time without rooms"),
        pytest.param(replace(FILTERED, room=NOW - 701), NOW - 5, True, id="left out lately"),
        pytest.param(replace(FILTERED, room=NOW - 699), NOW - 5, False, id="perhaps left out"),
        pytest.param(replace(FILTERED, missed=NOW - 50), NOW - 5, False, id="somebody was missed"),
        pytest.param(replace(FILTERED, missed=NOW - 150), NOW - 5, True, id="missed, then told"),
        pytest.param(
            replace(FILTERED, any=NOW - 1, missed=NOW - 50), None, False, id="other events come"
        ),
        pytest.param(WebhookTimes(join=NOW - 3_601), NOW - 5, False, id="too long ago"),
    ],
)
def test_a_room_is_followed_slowly_where_joins_are_told(
    times: WebhookTimes, made_at: float | None, *, is_told: bool
) -> None:
    """Not to know means to look as often as where there are no webhooks."""
    assert is_told is tell_of_joins(times, NOW, made_at)


@pytest.mark.parametrize(
    ("times", "ages", "is_missed"),
    [
        pytest.param(FILTERED, [90.0], True, id="joined after the last who was told"),
        pytest.param(FILTERED, [100.5], False, id="told, as far as clocks say"),
        pytest.param(FILTERED, [110.0, 4.0], False, id="may yet be told"),
        pytest.param(FILTERED, [110.0, 6.0], True, id="the youngest was not"),
        pytest.param(FILTERED, [], False, id="nobody is there"),
        pytest.param(WebhookTimes(), [6.0], True, id="no webhook has ever come"),
        pytest.param(WebhookTimes(), [7_201.0], False, id="joined before this process began"),
        pytest.param(replace(FILTERED, missed=NOW - 80), [6.0], False, id="known already"),
    ],
)
def test_somebody_whom_no_webhook_told_of_is_noticed_once(
    times: WebhookTimes, ages: list[float], *, is_missed: bool
) -> None:
    """A webhook comes after media is up, and may come to another process."""
    assert is_missed is shows_missed(times, ages, NOW, START)


@pytest.mark.parametrize(
    ("times", "come"),
    [
        pytest.param(WebhookTimes(), False, id="never"),
        pytest.param(replace(FILTERED, any=NOW - 29), True, id="just now"),
        pytest.param(FILTERED, False, id="not for a while"),
        pytest.param(replace(FILTERED, any=NOW, missed=NOW - 1), False, id="but no joins"),
    ],
)
def test_the_sweep_is_in_no_hurry_while_webhooks_come(times: WebhookTimes, *, come: bool) -> None:
    """Nothing else finds a phone caller."""
    assert come is come_now(times, NOW)


class Shared:
    """What all processes know, and a clock that can be made to pass."""

    def __init__(self) -> None:
        self.now, self._last = NOW, dict.fromkeys(Sign, 0.0)

    def clock(self) -> float:
        """Tell Unix seconds."""
        return self.now

    def webhook_arrived(self, sign: Sign = Sign.ANY) -> None:
        """Note it."""
        self._last[sign] = self.now

    def webhook_last_arrived(self, sign: Sign = Sign.ANY) -> float:
        """Tell it."""
        return self._last[sign]


def joined(age: float, kind: ParticipantKind = ParticipantKind.HUMAN) -> Participant:
    """Return somebody who joined so many seconds before LiveKit's noon."""
    joined_at = NOON - timedelta(seconds=age)
    return Participant(
        participant_identity="alice", participant_sid="PA_1", kind=kind, joined_at=joined_at
    )


def test_all_processes_know_what_one_has_heard_and_another_has_missed() -> None:
    """LiveKit's webhooks reach one of them, and any of them looks."""
    shared = Shared()
    hears, looks = (WebhookProof(shared, shared.clock) for _ in range(2))
    is_told = looks.for_room(is_new=True)
    known = [is_told()]
    hears.arrived("participant_joined")
    shared.now += 1_000  # a quiet time
    known.append(is_told())

    looks.looked([joined(900, ParticipantKind.OTHER), joined(3)], NOON)
    known.append(is_told())
    looks.looked([joined(900)], NOON)
    known.append(is_told())
    hears.arrived("participant_left")
    known.append(is_told() or hears.come_now())
    shared.now += 1
    hears.arrived("participant_joined")
    known.append(is_told() and hears.come_now())

    assert [False, True, True, False, False, True] == known


@pytest.mark.parametrize("sign", [Sign.ANY, Sign.JOIN])
def test_after_the_clock_was_set_back_webhooks_prove_themselves_anew(sign: Sign) -> None:
    """They may have stopped meanwhile: for an hour nobody would look closely."""
    shared = Shared()
    proof = WebhookProof(shared, shared.clock)
    is_told = proof.for_room(is_new=True)
    proof.arrived("participant_joined" if sign is Sign.JOIN else "participant_left")

    shared.now -= 3_600

    assert (False, False) == (proof.come_now(), is_told())

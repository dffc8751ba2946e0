"""What the processes of several machines share, over Redis; the machine's own locks lie beneath.

Without Redis the processes of one machine still share, and each machine goes on for itself.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from redis import Redis

from token_server.errors import RedisUnavailableError
from token_server.state.leases import LEASE_SECONDS, Leases
from token_server.state.machine_state import MachineState
from token_server.state.members_redis import MembersRedis
from token_server.state.redis_link import RedisLink
from token_server.state.webhook_signs import Sign

# Seconds between two writes of one process.
_PULSE_EVERY = 1.0
# Seconds that a sign of webhooks is remembered; more than webhook_proof.py asks for.
_PULSE_KEPT = 60.0
_OTHERS_KEPT = 7_200.0
# Seconds that a phone caller is remembered after they have been counted.
_CALLER_KEPT = 86_400
# Seconds that a sending is noted; longer than the keeper asks for (first_sends.MADE_WITHIN).
_SENDING_KEPT = 60
# Seconds. Longest pause before a look without Redis; on an idle machine one that acts takes 0.02.
_SPREAD = 0.3


class RedisState:
    """A MachineState that reaches further.

    Args:
        machine: What the processes of this machine share.
        link: The way to the Redis that all machines share.
        prefix: Of every key; each LiveKit has its own.
        lease_seconds: After this, what a dead process held is free.
    """

    def __init__(
        self,
        machine: MachineState,
        link: RedisLink,
        prefix: str,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._machine, self._link = machine, link
        self._leases = Leases(link, prefix, lease_seconds)
        self._prefix = prefix
        # A webhook does not wait for Redis; what another machine sends unasked is taken back.
        self.note_ending = machine.note_ending
        self._members = MembersRedis(link, f"{prefix}members", lease_seconds)
        self._untold: set[Sign] = set()  # what Redis is to know
        self._pulsed_at = 0.0  # monotonic
        self._seen_elsewhere: dict[Sign, float] = {}  # Unix seconds

    @contextmanager
    def hold_room(self, room_name: str) -> Iterator[bool]:
        """Hold a room's lock while in the block; False if another actor has it now."""
        with self._machine.hold_room(room_name) as is_ours_here:
            lease = f"room:{room_name}"
            is_ours = is_ours_here and self._take_room(lease)
            try:
                yield is_ours
            finally:
                if is_ours:
                    self._leases.give_back(lease)

    @property
    def name(self) -> str:
        """This process: no other has this name."""
        return self._machine.name

    def meet(self) -> frozenset[str]:
        """Say that this process is there, and return all that are; without Redis, of this machine.

        The machine's own are met as well: what Redis does not tell has to be known at once.
        """
        here = self._machine.meet()
        return self._members.meet(self.name) or here

    def part(self) -> None:
        """Say that this process is not there any more."""
        self._machine.part()
        self._members.part(self.name)

    def resign(self) -> None:
        """Leave to the others what this process had."""
        self.part()
        self._link.close()

    def webhook_arrived(self, sign: Sign = Sign.ANY) -> None:
        """Remember a sign of LiveKit's webhooks; the next beat tells the other machines."""
        self._machine.webhook_arrived(sign)
        self._untold.add(sign)

    def webhook_last_arrived(self, sign: Sign = Sign.ANY) -> float:
        """Return when any process last saw this sign, as far as known (Unix seconds)."""
        elsewhere = self._seen_elsewhere.get(sign, 0.0)
        return max(self._machine.webhook_last_arrived(sign), elsewhere)

    def count_caller(self, participant_sid: str) -> bool:
        """Become the one that counts a phone caller; False if any process has counted them."""
        if not self._machine.count_caller(participant_sid):
            return False
        key = f"{self._prefix}caller:{participant_sid}"
        return self._link.ask_or(
            lambda redis: bool(redis.set(key, 1, nx=True, ex=_CALLER_KEPT)), otherwise=True
        )

    def note_sending(self, room_name: str) -> float:
        """Note that an agent is sent to a room now; return how many seconds ago one was last.

        Another machine's was just now, as far as Redis has it: the clocks may differ.
        """
        seconds, key = self._machine.note_sending(room_name), f"{self._prefix}sending:{room_name}"
        is_first = self._link.ask_or(partial(_note, key), otherwise=True)
        return seconds if is_first else 0.0

    def beat(self) -> None:
        """Tell Redis that we are alive, and hear from the others; asked a few times a second."""
        self._link.try_again()
        with suppress(RedisUnavailableError):
            self._leases.renew()
            self._link.ask(self._exchange_pulse)

    def _take_room(self, lease: str) -> bool:
        try:
            return self._leases.take(lease)
        except RedisUnavailableError:
            # Whoever heard of the same join in the same moment is not to act in the same moment.
            time.sleep(random.uniform(0.0, _SPREAD))  # noqa: S311 (nothing secret)
            return True

    def _exchange_pulse(self, redis: Redis) -> None:
        pipeline = redis.pipeline(transaction=False)
        if self._untold and time.monotonic() - self._pulsed_at >= _PULSE_EVERY:
            self._pulsed_at = time.monotonic()
            untold, self._untold = self._untold, set()
            for sign in list(untold):  # a webhook may be adding one
                pipeline.set(f"{self._prefix}{sign}", 1, px=_kept(sign))
        for sign in Sign:
            pipeline.pttl(f"{self._prefix}{sign}")
        for sign, left in zip(Sign, pipeline.execute()[-len(Sign) :], strict=True):
            if left > 0:
                # Its age, and not the time of day: the machines' clocks may differ.
                self._seen_elsewhere[sign] = time.time() - (_kept(sign) - left) / 1000


def _note(key: str, redis: Redis) -> bool:
    """Note that an agent is sent; False if that was noted. SET with GET is Redis 6.2's."""
    pipeline = redis.pipeline(transaction=False)
    pipeline.set(key, 1, nx=True, ex=_SENDING_KEPT)
    pipeline.expire(key, _SENDING_KEPT)
    return bool(pipeline.execute()[0])


def _kept(sign: Sign) -> int:
    return round(1000 * (_PULSE_KEPT if sign is Sign.ANY else _OTHERS_KEPT))

"""What is done to processes in the middle of calls, and what the humans hear then."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from bench.progress import say
from bench.reliability.stage import Stage
from bench.silence.calls import Call, begin_call, start_workers
from bench.silence.faults import Fault
from bench.silence.listener import Listener
from bench.silence.outcomes import SOON, Found, Silences, Thaw, Thaws
from bench.silence.speech import spoken_sentence
from tests.processes import ROOT

_TEN = 10
_JOINS = 20
# Seconds between two joins of the ten calls: a join is about one second of one core's work here.
_PACE = 0.6
_ANSWERED_WITHIN = 5.0
# Seconds after a thaw in which the old agent may be heard, come back, or leave.
_AFTER_THAW = 8.0
_SIGNALS = {
    Fault.AGENT_KILLED: signal.SIGKILL,
    Fault.WORKER_KILLED: signal.SIGKILL,
    Fault.TEN_KILLED: signal.SIGKILL,
    Fault.LOOP_BLOCKED: signal.SIGUSR2,
}
# Lets a process's event loop stand still on SIGUSR2.
_STUCK = {"PYTHONPATH": str(ROOT / "tests/system/stuck_worker")}


async def strike_agents(
    stage: Stage, faults: Sequence[Fault], rounds: int, pace: float
) -> dict[Fault, Found]:
    """Do something to one agent in each call; a call begins every `pace` seconds."""
    workers = await start_workers(stage, 2, _STUCK if Fault.LOOP_BLOCKED in faults else {})
    speech = await asyncio.to_thread(spoken_sentence)

    async def strike(number: int, fault: Fault) -> float | Thaw | None:
        await asyncio.sleep(number * pace)
        call = await begin_call(stage, workers)
        try:
            if fault.frozen_for is None:
                return await _strike_agent(stage, call, fault)
            await _make_talk(call, speech)
            return await _thaw_agent(stage, call, fault.frozen_for)
        finally:
            await call.human.leave()
            if fault is Fault.AGENT_FROZEN:
                call.send(signal.SIGKILL)

    plan = [fault for _ in range(rounds) for fault in faults]
    each = await asyncio.gather(*(strike(number, fault) for number, fault in enumerate(plan)))
    found = list(zip(plan, each, strict=True))
    return {
        fault: _gather([one for which, one in found if which is fault], stage.patience)
        for fault in faults
    }


async def _strike_agent(stage: Stage, call: Call, fault: Fault) -> float | None:
    zero = time.monotonic()
    call.send(_SIGNALS.get(fault, signal.SIGSTOP))
    return await call.silence_since(zero, stage.patience)


async def _make_talk(call: Call, speech: bytes) -> None:
    """Speak to the agent until it is in the middle of its answer.

    An agent that has nothing to say would not be heard after a thaw, whatever it did.
    """
    await call.human.say(speech)
    said_at = time.monotonic()
    while max(call.human.last_heard[agent] for agent in call.agents) < said_at:
        if time.monotonic() > said_at + _ANSWERED_WITHIN:
            say(f"    the agent in {call.room_name} does not answer")
            return
        await asyncio.sleep(0.02)


async def _thaw_agent(stage: Stage, call: Call, frozen_for: float) -> Thaw:
    call.send(signal.SIGSTOP)
    await asyncio.sleep(frozen_for)
    thawed_at = time.monotonic()
    call.send(signal.SIGCONT)
    await asyncio.sleep(_AFTER_THAW)
    return await _see_thaw(stage, call, thawed_at)


async def _see_thaw(stage: Stage, call: Call, thawed_at: float) -> Thaw:
    listed = await stage.count_agents(call.room_name)
    there = call.human.identities
    is_old_there = bool(there & call.agents)
    return Thaw(
        is_old_heard=any(call.human.last_heard[old] > thawed_at for old in call.agents),
        is_old_there=is_old_there,
        others=max(listed, len(there)) - is_old_there,
        is_other_heard=bool(call.human.first_heard.keys() - call.agents),
    )


def _gather(each: Sequence[float | Thaw | None], patience: float) -> Found:
    thaws = tuple(one for one in each if isinstance(one, Thaw))
    if thaws:
        return Thaws(thaws)
    return Silences(tuple(one for one in each if not isinstance(one, Thaw)), patience)


async def strike_workers(stage: Stage, faults: Sequence[Fault], rounds: int) -> dict[Fault, Found]:
    """Do something to a worker with one call, with another at hand; in turns."""
    workers = await start_workers(stage, 2)
    found: dict[Fault, list[float | None]] = {fault: [] for fault in faults}
    for fault in [fault for _ in range(rounds) for fault in faults]:
        call = await begin_call(stage, workers)
        zero = time.monotonic()
        call.send_to_worker(_SIGNALS.get(fault, signal.SIGSTOP))
        found[fault].append(await call.silence_since(zero, stage.patience))
        await call.human.leave()
        await asyncio.to_thread(call.worker.kill)
        workers.remove(call.worker)
        workers += await start_workers(stage, 1)
    return {fault: Silences(tuple(each), stage.patience) for fault, each in found.items()}


async def strike_worker_of_ten(stage: Stage, fault: Fault) -> dict[Fault, Found]:
    """Do something to a worker with ten calls, with another at hand that has none."""
    workers = await start_workers(stage, 1)

    async def begin(number: int) -> Call:
        await asyncio.sleep(number * _PACE)
        return await begin_call(stage, workers)

    calls = await asyncio.gather(*map(begin, range(_TEN)))
    await start_workers(stage, 1)
    zero = time.monotonic()
    calls[0].send_to_worker(_SIGNALS.get(fault, signal.SIGSTOP))
    each = await asyncio.gather(*(call.silence_since(zero, stage.patience) for call in calls))
    await asyncio.gather(*(call.human.leave() for call in calls))
    return {fault: Silences(tuple(each), stage.patience)}


async def join_beside_a_frozen_worker(stage: Stage) -> dict[Fault, Found]:
    """Freeze one of two workers, then join; the next one joins when this one hears its agent.

    At the latest after 3 s: what takes longer is waited for later.
    """
    frozen, _ = await start_workers(stage, 2)
    with suppress(ProcessLookupError):
        os.killpg(frozen.popen.pid, signal.SIGSTOP)
    joins = []
    for _ in range(_JOINS):
        joins.append(asyncio.create_task(_first_sound(stage)))
        await asyncio.wait({joins[-1]}, timeout=SOON)
    return {Fault.HALF_FROZEN: Silences(tuple(await asyncio.gather(*joins)), stage.patience)}


async def _first_sound(stage: Stage) -> float | None:
    """Return the seconds from a join to the agent's first sound; None: there was none."""
    human = Listener()
    try:
        await human.join(stage.livekit.url, await stage.token(stage.new_room()))
        at = await human.hears(until=human.joined_at + stage.patience)
        return None if at is None else at - human.joined_at
    finally:
        await human.leave()

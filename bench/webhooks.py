"""What it saves to leave webhooks out: requests and processor time, call by call."""

import asyncio
import json
import re
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from livekit import api, rtc

from bench.effort import Effort
from bench.figures import Row, Section, number
from bench.growth.deployment import Deployment, deployment
from bench.growth.usage import cpu_seconds
from bench.progress import say
from bench.reliability.visitor import Visitor
from tests.processes import API_KEY, API_SECRET
from tests.snippets import snippet

_OPERATOR_KEY = "bench"
_DOCUMENTED = re.compile(r"include_events: \[(.*)\]")
_RECEIVED = re.compile(r"^token_server_webhooks_received_total (\S+)", re.MULTILINE)
# Seconds: for an agent to come, and for the last webhooks of a call.
_PATIENCE = 15.0
_SETTLE = 1.0
_WARM_UP = 3
_COLUMNS = ("webhooks a call", "ours, CPU ms a call", "livekit-server, CPU ms a call")
_HOW = (
    "One call after the other: a token, a human (LiveKit's Python client) who publishes one track,"
    " an agent without tracks, then the end of the room; 1 s in between. An agent's track would be"
    " two webhooks more. CPU, from /proc, is of the two web processes and gunicorn's own, and holds"
    " all that a call costs: token, looks, webhooks."
)


@dataclass(frozen=True, kw_only=True)
class _Cost:
    """What some calls have cost so far: webhooks, and seconds of both servers' CPU."""

    webhooks: float
    ours: float
    livekit: float


class _Speaker(Visitor):
    """A visitor who can be heard."""

    async def speak(self) -> None:
        """Publish a silent track."""
        source = rtc.AudioSource(48_000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        await self._room.local_participant.publish_track(track)


def measure_webhooks(effort: Effort, folder: Path) -> list[Section]:
    """Measure with all events, with those of docs/webhooks.md, and without tracks."""
    (listed,) = _DOCUMENTED.findall(snippet("docs/webhooks.md", "include_events").text)
    documented = listed.split(", ")
    choices = {
        "all events": [],
        "as docs/webhooks.md has it": documented,
        "and without `track_published`": [e for e in documented if e != "track_published"],
    }
    rows = [_row(what, events, effort.calls, folder) for what, events in choices.items()]
    title = "Webhooks that are left out"
    return [Section(key="webhooks", title=title, how=_HOW, columns=_COLUMNS, rows=tuple(rows))]


def _row(what: str, events: Sequence[str], calls: int, folder: Path) -> Row:
    with deployment(folder, webhook_events=events, OPERATOR_KEY=_OPERATOR_KEY) as running:
        asyncio.run(_call(running, _WARM_UP))
        before = _cost(running)
        asyncio.run(_call(running, calls))
        after = _cost(running)
    figures = (
        (after.webhooks - before.webhooks) / calls,
        1000 * (after.ours - before.ours) / calls,
        1000 * (after.livekit - before.livekit) / calls,
    )
    say(f"    {what}: {figures[0]:.1f} webhooks, {figures[1]:.1f} and {figures[2]:.1f} ms a call")
    return Row(what=what, cells=tuple(number(figure, 1) for figure in figures))


async def _call(running: Deployment, calls: int) -> None:
    url = running.livekit.url.replace("ws", "http", 1)
    async with api.LiveKitAPI(url, API_KEY, API_SECRET) as livekit:
        for count in range(calls):
            room_name = f"bench-call-{calls}-{count}"
            token = await asyncio.to_thread(_token, running.web_port, room_name)
            human = _Speaker()
            await human.join(running.livekit.url, token)
            await human.speak()
            if not await human.sees_agent(until=time.monotonic() + _PATIENCE):
                raise RuntimeError(f"no agent came to {room_name}")
            await human.leave()
            await livekit.room.delete_room(api.DeleteRoomRequest(room=room_name))
            await asyncio.sleep(_SETTLE)


def _cost(running: Deployment) -> _Cost:
    (received,) = _RECEIVED.findall(_ask(running.web_port, "/metrics"))
    return _Cost(
        webhooks=float(received),
        ours=cpu_seconds(running.web.popen.pid),
        livekit=cpu_seconds(running.livekit.process.popen.pid),
    )


def _token(port: int, room_name: str) -> str:
    answer = _ask(port, "/token", json.dumps({"room_name": room_name}).encode())
    return str(json.loads(answer)["participant_token"])


def _ask(port: int, path: str, body: bytes | None = None) -> str:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {_OPERATOR_KEY}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        return str(answer.read().decode())

"""What it saves to leave webhooks out: requests and processor time, by calls and by tokens."""

import asyncio
import http.client
import json
import re
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from livekit import api, rtc

from bench.effort import Effort
from bench.figures import Row, Section, number
from bench.growth.deployment import Deployment, deployment
from bench.growth.usage import cpu_seconds
from bench.load import put_load_on
from bench.progress import say
from bench.reliability.visitor import Visitor
from bench.requests import token_request
from tests.processes import API_KEY, API_SECRET
from tests.snippets import snippet

_OPERATOR_KEY = "bench"
_DOCUMENTED = re.compile(r"include_events: \[(.*)\]")
_COUNTED = {
    name: re.compile(rf"^token_server_{name}_total (\S+)", re.MULTILINE)
    for name in ("webhooks_received", "tokens_issued")
}
# Seconds: for an agent to come, and for the last webhooks of a call.
_PATIENCE = 15.0
_SETTLE = 1.0
_WARM_UP = 3
_CONNECTIONS = 16
_COLUMNS = (
    "webhooks a call",
    "CPU ms a call",
    "webhooks a token",
    "CPU ms a token",
    "LiveKit's CPU ms a token",
    "tokens/s",
)
_HOW = (
    "Calls one after the other: a token, a human (LiveKit's Python client) who publishes one track,"
    " an agent without tracks, then the end of the room; 1 s in between. An agent's track would be"
    " two webhooks more. CPU, from /proc, is of the two web processes and gunicorn's own, and holds"
    " all that a call costs: the token, looks, webhooks, and what idle processes use meanwhile."
    f" Tokens as fast as they come, {_CONNECTIONS} connections, each for a fresh room, and nobody"
    " joins; a room's end would be one webhook more for each."
)


@dataclass(frozen=True, kw_only=True)
class _Cost:
    """What was used: tokens, webhooks, and milliseconds of both servers' CPU."""

    tokens: float
    webhooks: float
    ours: float
    livekit: float

    def each_since(self, before: "_Cost") -> "_Cost":
        """Return what each token has cost since then, with what came of it."""
        count = self.tokens - before.tokens
        return _Cost(
            tokens=count,
            webhooks=(self.webhooks - before.webhooks) / count,
            ours=(self.ours - before.ours) / count,
            livekit=(self.livekit - before.livekit) / count,
        )


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
    rows = [_row(what, events, effort, folder) for what, events in choices.items()]
    title = "Webhooks that are left out"
    return [Section(key="webhooks", title=title, how=_HOW, columns=_COLUMNS, rows=tuple(rows))]


def _row(what: str, events: Sequence[str], effort: Effort, folder: Path) -> Row:
    with deployment(folder, webhook_events=events, OPERATOR_KEY=_OPERATOR_KEY) as running:
        asyncio.run(_call(running, _WARM_UP))
        before = _cost(running)
        asyncio.run(_call(running, effort.calls))
        call = _cost(running).each_since(before)
        before = _cost(running)
        load = put_load_on(
            token_request(running.web_port), connections=_CONNECTIONS, seconds=effort.load_seconds
        )
        time.sleep(_SETTLE)
        token = _cost(running).each_since(before)
    say(f"    {what}: {call} a call, {token} a token, {load.per_second:,.0f} tokens/s")
    cells = (
        number(call.webhooks, 1),
        number(call.ours, 1),
        number(token.webhooks, 2),
        number(token.ours, 2),
        number(token.livekit, 2),
        number(load.per_second),
    )
    return Row(what=what, cells=cells)


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
    metrics = _ask(running.web_port, "/metrics")
    counted = {name: float(line.findall(metrics)[0]) for name, line in _COUNTED.items()}
    return _Cost(
        tokens=counted["tokens_issued"],
        webhooks=counted["webhooks_received"],
        ours=1000 * cpu_seconds(running.web.popen.pid),
        livekit=1000 * cpu_seconds(running.livekit.process.popen.pid),
    )


def _token(port: int, room_name: str) -> str:
    answer = _ask(port, "/token", json.dumps({"room_name": room_name}).encode())
    return str(json.loads(answer)["participant_token"])


def _ask(port: int, path: str, body: bytes | None = None) -> str:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {_OPERATOR_KEY}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    with closing(connection):
        connection.request("GET" if body is None else "POST", path, body, headers)
        return connection.getresponse().read().decode()

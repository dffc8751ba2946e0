"""The simulated LiveKit's HTTP: Twirp for the product, JSON for whoever measures.

aiohttp without its router: what is measured must not wait for what measures it.
"""

import asyncio
import json
from http import HTTPStatus

from aiohttp import web
from google.protobuf.message import DecodeError

from bench.simulated.api import ApiMethod
from bench.simulated.controls import Controls
from bench.simulated.replies import Refusal, Reply
from bench.simulated.simulation import Simulation

_CONTROL = "/control/"
_PROTOBUF = "application/protobuf"
_BAD_ROUTE = Refusal(HTTPStatus.NOT_FOUND, "bad_route", "no handler for this path")
_MALFORMED = Refusal(
    HTTPStatus.BAD_REQUEST, "malformed", "the body is not the message it should be"
)


class Server:
    """Answers requests."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation, self._controls = simulation, Controls(simulation)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer one; `path` is the same where we are asked as a proxy."""
        path, body = request.rel_url.raw_path, await request.read()
        if path.startswith(_CONTROL):
            done = await self._controls.do(path.removeprefix(_CONTROL), json.loads(body))
            return web.json_response(done)
        method = self._simulation.methods.get(path)
        reply = self._reply(request, method, body) if method else Reply(_BAD_ROUTE)
        if seconds := self._simulation.delay + reply.after:
            await asyncio.sleep(seconds)
        if isinstance(reply.what, Refusal):
            self._simulation.told.refuse(reply.what.status)
            headers = {"Content-Type": reply.what.content_type}
            return web.Response(body=reply.what.body, status=reply.what.status, headers=headers)
        return web.Response(
            body=reply.what.SerializeToString(), headers={"Content-Type": _PROTOBUF}
        )

    def _reply(self, request: web.BaseRequest, method: ApiMethod, body: bytes) -> Reply:
        try:
            message = method.request.FromString(body)
        except DecodeError:
            return Reply(_MALFORMED)
        room_name = getattr(message, "room", "")
        told, headers = self._simulation.told, request.headers
        told.asked(
            request.rel_url.raw_path.rpartition("/")[2],
            room_name,
            headers.get("Proxy-Authorization", ""),
        )
        refusal = self._simulation.door.refusal(
            headers.get("Authorization", ""), method.grant, room_name
        )
        return Reply(refusal) if refusal else method.answer(message)


async def serve(simulation: Simulation, port: int) -> None:
    """Serve on a port of 127.0.0.1 until cancelled."""
    runner = web.ServerRunner(web.Server(Server(simulation).answer, access_log=None))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
        print(f"a simulated LiveKit listens on {port}", flush=True)  # noqa: T201 (it is waited for)
        await asyncio.Event().wait()
    finally:
        await simulation.webhooks.close()
        await runner.cleanup()

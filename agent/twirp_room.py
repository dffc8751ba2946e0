"""Asks and tells LiveKit about one room, over its HTTP API; a connection of its own each time."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus

import aiohttp
from livekit import api
from livekit.protocol.room import PerformRpcRequest

from agent.humans import HUMAN_KINDS
from agent.room_now import ListedAgent, RoomNow, agent_name_of
from shared_settings.agent_signs import ALIVE_METHOD
from shared_settings.settings import SharedSettings

# LiveKit itself waits 2 s for a sign that a question has arrived (livekit-behaviour 92).
_ALIVE_MS = 800
_ALIVE_SECONDS = 1.2
# Of an agent that lives and does not know the method.
_UNKNOWN_METHOD = "RpcError 1400"
# Until an agent's data channel is up LiveKit cannot put the question: 1.3 s after its joining where
# twelve agents start at the same moment.
_TRIES_WHILE_COMING_UP = 10
_COMING_UP_SECONDS = 0.3
_CHANGE_SECONDS = 2.0


class TwirpRoom:
    """A room of LiveKit's, asked by its name."""

    def __init__(
        self, settings: SharedSettings, room_name: str, try_again: float = _COMING_UP_SECONDS
    ) -> None:
        self._settings, self._room_name, self._try_again = settings, room_name, try_again

    async def look(self) -> RoomNow:
        """Ask which room of that name there is, and who is in it."""
        async with self._livekit() as livekit:
            listed, participants = await asyncio.gather(
                livekit.room.list_rooms(api.ListRoomsRequest(names=[self._room_name])),
                _list_participants(livekit, self._room_name),
            )
        return RoomNow(
            sid=listed.rooms[0].sid if listed.rooms else None,
            agents=tuple(agent for one in participants if (agent := _agent(one))),
            humans=tuple(
                one.identity
                for one in participants
                if one.kind in HUMAN_KINDS and not one.permission.hidden
            ),
        )

    async def lives(self, identity: str) -> bool:
        """Ask an agent's own process; one that does not know our method lives as well."""
        for _ in range(_TRIES_WHILE_COMING_UP):
            if (answer := await self._ask(identity)) is not None:
                return answer
            await asyncio.sleep(self._try_again)
        return False

    async def _ask(self, identity: str) -> bool | None:
        """Ask once; None where LiveKit could not put the question, to one who is just coming."""
        request = PerformRpcRequest(
            room=self._room_name,
            destination_identity=identity,
            method=ALIVE_METHOD,
            payload="{}",
            response_timeout_ms=_ALIVE_MS,
        )
        url = f"{self._url()}/twirp/livekit.RoomService/PerformRpc"
        limit = aiohttp.ClientTimeout(total=_ALIVE_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(trust_env=True, timeout=limit) as session,
                session.post(
                    url, data=request.SerializeToString(), headers=self._headers()
                ) as answer,
            ):
                if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                    return None
                return answer.ok or _UNKNOWN_METHOD in await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False

    async def has_dispatch(self, dispatch_id: str) -> bool:
        """Ask for the room's dispatches."""
        async with self._livekit() as livekit:
            dispatches = await livekit.agent_dispatch.list_dispatch(self._room_name)
        return any(dispatch.id == dispatch_id for dispatch in dispatches)

    async def put_out(self, identity: str) -> None:
        """Take a participant out of the room, if it is there.

        Raises:
            Exception: LiveKit cannot be reached in time, or refuses.
        """
        request = api.RoomParticipantIdentity(room=self._room_name, identity=identity)
        async with asyncio.timeout(_CHANGE_SECONDS), self._livekit() as livekit:
            with _missing_is_fine():
                await livekit.room.remove_participant(request)

    async def set_attributes(self, identity: str, attributes: Mapping[str, str]) -> None:
        """Give a participant these attributes beside those they have, if they are there.

        Raises:
            Exception: LiveKit cannot be reached in time, or refuses.
        """
        request = api.UpdateParticipantRequest(
            room=self._room_name, identity=identity, attributes=attributes
        )
        async with asyncio.timeout(_CHANGE_SECONDS), self._livekit() as livekit:
            with _missing_is_fine():
                await livekit.room.update_participant(request)

    def _url(self) -> str:
        scheme, _, rest = self._settings.livekit_url.partition("://")
        return f"{scheme.replace('ws', 'http')}://{rest}"

    def _headers(self) -> dict[str, str]:
        grants = api.VideoGrants(room_admin=True, room=self._room_name)
        token = api.AccessToken(self._settings.livekit_api_key, self._settings.livekit_api_secret)
        return {
            "Authorization": f"Bearer {token.with_grants(grants).to_jwt()}",
            "Content-Type": "application/protobuf",
        }

    @asynccontextmanager
    async def _livekit(self) -> AsyncIterator[api.LiveKitAPI]:
        # The job's own HTTP session builds a TLS context first: 26 ms before every join.
        async with (
            aiohttp.ClientSession(trust_env=True) as session,
            api.LiveKitAPI(
                self._settings.livekit_url,
                self._settings.livekit_api_key,
                self._settings.livekit_api_secret,
                session=session,
            ) as livekit,
        ):
            yield livekit


@contextmanager
def _missing_is_fine() -> Iterator[None]:
    """Let pass that LiveKit has no such room, or nobody of that identity in it."""
    try:
        yield
    except api.TwirpError as error:
        if error.code != api.TwirpErrorCode.NOT_FOUND:
            raise


async def _list_participants(
    livekit: api.LiveKitAPI, room_name: str
) -> Sequence[api.ParticipantInfo]:
    request = api.ListParticipantsRequest(room=room_name)
    answer = api.ListParticipantsResponse()
    with _missing_is_fine():
        answer = await livekit.room.list_participants(request)
    return answer.participants


def _agent(participant: api.ParticipantInfo) -> ListedAgent | None:
    name = agent_name_of(participant.kind, participant.attributes)
    if name is None:
        return None
    return ListedAgent(
        name=name,
        identity=participant.identity,
        sid=participant.sid,
        joined_ms=participant.joined_at_ms or participant.joined_at * 1000,
    )

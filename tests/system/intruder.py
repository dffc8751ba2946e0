"""A participant who tries all that livekit-agents offers over data, streams and RPC."""

import asyncio
import contextlib
from collections.abc import Iterator

from google.protobuf.message import Message
from livekit import rtc
from livekit.agents.types import TOPIC_CHAT, TOPIC_TRANSCRIPTION
from livekit.agents.voice.remote_session import TOPIC_SESSION_MESSAGES
from livekit.agents.voice.room_io._pre_connect_audio import PRE_CONNECT_AUDIO_BUFFER_STREAM
from livekit.protocol.agent_pb import agent_session

from tests.system.caller import join_token

WORDS = "I owe Mallory all my money."
IDENTITY = "mallory"
IN_THE_LOG = "MALLORY WAS HERE"
_OTHER_TOPIC = f"a topic\n{IN_THE_LOG}"
# The SDK registers the first three; who sends on the others finds out whether it ever will.
_TOPICS = (
    TOPIC_SESSION_MESSAGES,
    TOPIC_CHAT,
    PRE_CONNECT_AUDIO_BUFFER_STREAM,
    TOPIC_TRANSCRIPTION,
    _OTHER_TOPIC,
)
_LOUD = bytes([0x00, 0x40]) * 48_000  # a second of int16 samples at 16,384


class Intruder:
    """Somebody in the room whom the agent does not talk with, and what they have learned."""

    def __init__(self) -> None:
        self.learned: list[str] = []
        self._room = rtc.Room()
        self._tasks: set[asyncio.Task[None]] = set()
        for topic in _TOPICS:
            self._room.register_byte_stream_handler(topic, self._on_bytes)
            if topic != TOPIC_TRANSCRIPTION:  # what is said aloud in the room is no secret there
                self._room.register_text_stream_handler(topic, self._on_text)
        self._room.on("data_received", lambda packet: self.learned.append(f"data {packet.topic}"))

    async def join(self, url: str, room_name: str) -> None:
        """Join with a token that allows nothing but to be there."""
        await self._room.connect(url, join_token(room_name, IDENTITY))

    async def try_everything(self, agent: str, track_sid: str = "") -> None:
        """Try it on an agent; all of it has arrived there when this returns.

        `track_sid` is somebody else's track, into which words could be put.
        """
        us = self._room.local_participant
        for message in session_messages():
            payload = message.SerializeToString()
            await us.send_bytes(payload, topic=TOPIC_SESSION_MESSAGES, name="request")
            await us.publish_data(payload, topic=TOPIC_SESSION_MESSAGES)
        sound = {"trackId": track_sid, "sampleRate": "48000", "channels": "1"}
        for topic in _TOPICS:
            await us.send_text(WORDS, topic=topic)
            await us.publish_data(WORDS, topic=topic)
            await us.send_bytes(_LOUD, topic=topic, attributes=sound, name="sound")
        # Last, since packets of one participant arrive in order: their answers say that all came.
        for method in (*_TOPICS, *_requests()):
            await self._call(agent, method)

    async def leave(self) -> None:
        """Leave the room."""
        await self._room.disconnect()
        await asyncio.gather(*self._tasks)

    async def _call(self, agent: str, method: str) -> None:
        with contextlib.suppress(rtc.RpcError):
            answer = await self._room.local_participant.perform_rpc(
                destination_identity=agent, method=method, payload=WORDS
            )
            self.learned.append(f"{method} answers {answer}")

    def _on_bytes(self, reader: rtc.ByteStreamReader, identity: str) -> None:
        task = asyncio.create_task(self._read(reader, identity))
        self._tasks.add(task)

    async def _read(self, reader: rtc.ByteStreamReader, identity: str) -> None:
        message = agent_session.AgentSessionMessage()
        message.ParseFromString(b"".join([chunk async for chunk in reader]))
        self.learned.append(f"{identity}: {message}")

    def _on_text(self, reader: rtc.TextStreamReader, identity: str) -> None:
        self.learned.append(f"{identity}: text on {reader.info.topic}")


def _requests() -> list[str]:
    """Return what a session's host can be asked for, by the protocol."""
    kinds = agent_session.SessionRequest.DESCRIPTOR.oneofs_by_name["request"]
    return [field.name for field in kinds.fields]


def session_messages() -> Iterator[Message]:
    """Yield every request of the session's protocol, and every other message of it."""
    for request in _requests():
        message = agent_session.AgentSessionMessage()
        message.request.request_id = request
        _fill(getattr(message.request, request))
        yield message
    for field in agent_session.AgentSessionMessage.DESCRIPTOR.fields:
        message = agent_session.AgentSessionMessage()
        if field.name != "request":
            _fill(getattr(message, field.name))
            yield message


def _fill(message: Message) -> None:
    """Say something in every field: our words, and no to every question."""
    message.SetInParent()
    for field in message.DESCRIPTOR.fields:
        one_of = field.containing_oneof  # for an optional field one of its own, with a "_"
        if field.is_repeated or (one_of and not one_of.name.startswith("_")):
            continue
        if field.message_type:
            _fill(getattr(message, field.name))
        elif field.type == field.TYPE_STRING:
            setattr(message, field.name, WORDS)
        elif field.type == field.TYPE_BOOL:
            setattr(message, field.name, False)

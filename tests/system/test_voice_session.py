"""The voice agent's session in a real room, with fake models: whose words it takes."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import api, rtc
from livekit.agents import AgentSession, inference, llm
from livekit.agents.types import TOPIC_CHAT
from livekit.protocol.agent import Job
from livekit.protocol.models import Room

from agent.release import release
from agent.track import Track
from agent.voice import Voice
from shared_settings.release_marks import is_released
from tests.environ import settings
from tests.processes import AGENT_NAME, API_KEY, API_SECRET, LiveKitServer, wait_until
from tests.system.caller import join_token
from tests.system.fake_models import ANSWER, GOODBYE, FakeLLM, FakeSTT, FakeTTS
from tests.system.intruder import Intruder

pytestmark = pytest.mark.live
_AGENT = "agent-voice-agent"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    """Start a real livekit-server."""
    with LiveKitServer(tmp_path_factory.mktemp("voice")) as server:
        yield server


@dataclass(frozen=True, kw_only=True)
class Call:
    """A voice agent and the human whom it talks with."""

    session: AgentSession[None]
    ears: FakeSTT
    agent: rtc.Room
    alice: rtc.Room
    track_sid: str
    ended: list[str]

    async def type(self, text: str) -> None:
        """Let Alice write something to the agent, as LiveKit's components do."""
        await self.alice.local_participant.send_text(
            text, topic=TOPIC_CHAT, destination_identities=[_AGENT]
        )

    def turns(self) -> list[str]:
        """Return who has said what to whom, as the session remembers it."""
        items = self.session.history.items
        return [
            f"{one.role}: {one.text_content}" for one in items if isinstance(one, llm.ChatMessage)
        ]

    def switches(self) -> tuple[bool, bool, bool]:
        """Say whether the session hears, speaks and writes along."""
        output = self.session.output
        return (
            self.session.input.audio_enabled,
            output.audio_enabled,
            output.transcription_enabled,
        )


@asynccontextmanager
async def call(url: str, room_name: str) -> AsyncIterator[Call]:
    """Let a voice agent come to Alice, greet her, and listen."""
    ears, agent, alice = FakeSTT(), rtc.Room(), rtc.Room()
    session: AgentSession[None] = AgentSession(
        stt=ears, llm=FakeLLM(), tts=FakeTTS(), vad=inference.VAD()
    )
    ended: list[str] = []
    job = Job(room=Room(name=room_name), agent_name=AGENT_NAME)
    context: Any = SimpleNamespace(job=job, room=agent, is_fake_job=lambda: False)
    release_all = functools.partial(release, context, settings(LIVEKIT_URL=url))
    voice, track = Voice(lambda: session, "Be kind.", ended.append, release_all), Track()
    await alice.connect(url, join_token(room_name, "alice"))
    track_sid = await _publish_silence(alice)
    await agent.connect(url, _agent_token(room_name))
    await track.publish(agent.local_participant)
    await voice.start(agent, track)
    call = Call(
        session=session, ears=ears, agent=agent, alice=alice, track_sid=track_sid, ended=ended
    )
    try:
        await _until(lambda: call.turns() == [f"assistant: {ANSWER}"], "the greeting")
        yield call
    finally:
        await voice.aclose()
        await session.aclose()
        for room in (alice, agent):
            await room.disconnect()
        await track.aclose()


async def _publish_silence(room: rtc.Room) -> str:
    """Publish a microphone that says: what I said before you came follows (it does not)."""
    track = rtc.LocalAudioTrack.create_audio_track("microphone", rtc.AudioSource(48_000, 1))
    options = rtc.TrackPublishOptions(
        source=rtc.TrackSource.SOURCE_MICROPHONE, preconnect_buffer=True
    )
    return (await room.local_participant.publish_track(track, options)).sid


def _agent_token(room_name: str) -> str:
    grants = api.VideoGrants(room_join=True, room=room_name, agent=True)
    token = api.AccessToken(API_KEY, API_SECRET).with_identity(_AGENT).with_kind("agent")
    return token.with_grants(grants).to_jwt()


async def _until(ask: Callable[[], bool], what: str) -> None:
    """Wait until something is so, while the session goes on."""
    await asyncio.to_thread(wait_until, ask, within=10, what=what)


def test_a_second_participant_learns_and_changes_nothing(
    server: LiveKitServer, room_name: str
) -> None:
    """The session is between the agent and whom it talks with; anybody may be in a room."""

    async def run() -> None:
        intruder = Intruder()
        async with call(server.url, room_name) as alices:
            before = alices.turns(), alices.switches()
            await intruder.join(server.url, room_name)
            await intruder.try_everything(_AGENT, alices.track_sid)
            # What she types is answered after all of it.
            await alices.type("Hello?")
            await _until(lambda: len(alices.turns()) >= 3, "an answer to Alice")
            await intruder.leave()

            said = [*before[0], "user: Hello?", f"assistant: {ANSWER}"]
            assert ([], said) == (intruder.learned, alices.turns())
            assert (before[1], True) == (alices.switches(), alices.ears.loudest < 1_000)

    asyncio.run(run())


def test_words_come_in_on_no_other_way_than_the_callers_chat(
    server: LiveKitServer, room_name: str
) -> None:
    """Notices the day on which livekit-agents listens to something else by default."""

    async def run() -> None:
        async with call(server.url, room_name) as alices:
            agent = alices.agent
            texts, sounds = agent._text_stream_handlers, agent._byte_stream_handlers  # noqa: SLF001 (the SDK has no public list)
            methods = agent.local_participant._rpc_handlers  # noqa: SLF001
            assert ([TOPIC_CHAT], [], []) == (list(texts), list(sounds), list(methods))

    asyncio.run(run())


def test_a_session_that_its_models_have_left_ends_the_job(
    server: LiveKitServer, room_name: str
) -> None:
    """livekit-agents closes it; a mute agent would stay, and the room look attended."""

    async def run() -> None:
        async with call(server.url, room_name) as alices:
            alices.ears.fails.set()
            await _until(lambda: alices.ended != [], "the end of the job")

            assert ["the voice session has ended"] == alices.ended

    asyncio.run(run())


def test_a_caller_who_says_goodbye_is_released_and_the_agent_goes(
    server: LiveKitServer, room_name: str
) -> None:
    """Without the mark the next agent would greet somebody who has hung up."""

    async def run() -> None:
        async with call(server.url, room_name) as alices:
            await alices.type(GOODBYE)
            await _until(lambda: alices.ended != [], "the end of the job")

            theirs = alices.alice.local_participant.attributes
            assert ["the agent has ended the call"] == alices.ended
            assert is_released([API_SECRET], room_name, "alice", AGENT_NAME, theirs)

    asyncio.run(run())

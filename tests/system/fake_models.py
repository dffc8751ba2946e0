"""Models for a voice agent's session, without a provider: they answer, and remember what came."""

import asyncio

from livekit import rtc
from livekit.agents import APIError, llm, stt, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

ANSWER = "Good morning."
GOODBYE = "Goodbye!"
_RATE = 24_000


class FakeSTT(stt.STT[str]):
    """Understands nothing, remembers how loud it was, and gives up when it is told to fail."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))
        self.loudest = 0
        self.fails = asyncio.Event()

    async def _recognize_impl(self, *_: object, **__: object) -> stt.SpeechEvent:
        raise NotImplementedError

    def stream(self, **_: object) -> stt.RecognizeStream:
        return _Listening(stt=self, conn_options=DEFAULT_API_CONNECT_OPTIONS)


class _Listening(stt.RecognizeStream):
    async def _run(self) -> None:
        assert isinstance(self._stt, FakeSTT)
        async for frame in self._input_ch:
            if self._stt.fails.is_set():
                raise APIError("a made-up provider is down", retryable=False)
            if isinstance(frame, rtc.AudioFrame):
                self._stt.loudest = max(self._stt.loudest, *map(abs, frame.data))


class FakeLLM(llm.LLM[str]):
    """Gives the same answer to whatever it is asked; ends the call when it hears GOODBYE."""

    def chat(self, *, chat_ctx: llm.ChatContext, **_: object) -> llm.LLMStream:
        return _Answering(
            self, chat_ctx=chat_ctx, tools=[], conn_options=DEFAULT_API_CONNECT_OPTIONS
        )


class _Answering(llm.LLMStream):
    async def _run(self) -> None:
        delta = llm.ChoiceDelta(role="assistant", content=ANSWER)
        last = self._chat_ctx.items[-1]
        if isinstance(last, llm.ChatMessage) and last.text_content == GOODBYE:
            call = llm.FunctionToolCall(name="end_call", arguments="{}", call_id="1")
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
        self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))


class FakeTTS(tts.TTS[str]):
    """Says everything in a tenth of a second of silence."""

    def __init__(self) -> None:
        capabilities = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=capabilities, sample_rate=_RATE, num_channels=1)

    def synthesize(self, text: str, **_: object) -> tts.ChunkedStream:
        return _Speaking(tts=self, input_text=text, conn_options=DEFAULT_API_CONNECT_OPTIONS)


class _Speaking(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id="speech", sample_rate=_RATE, num_channels=1, mime_type="audio/pcm"
        )
        output_emitter.push(bytes(2 * _RATE // 10))
        output_emitter.flush()
